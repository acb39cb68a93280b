from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.vision import weights
from doorward.vision.plates import Region
from doorward.vision.sources import open_source
from doorward_edge.agent import Agent
from doorward_edge.passage import Seen
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.faces import FaceWatch, watch_faces
from doorward_edge.watcher.plates import VotingFollower, watch_plates
from tests.edge.world import World


@pytest.fixture
def models() -> None:
    if not (weights.folder() / weights.MANIFEST).is_file():
        pytest.skip("needs prepared models: run `doorward models prepare`")


def test_a_photo_of_a_person_asks_the_server_once(real_data: Path, models: None, tmp_path: Path) -> None:
    world, statistics = World(tmp_path), AgentStatistics()
    photo = real_data / "faces_cc" / "person_a_1.jpg"

    def watch() -> Iterator[Seen | None]:
        source = open_source(str(photo), frames_per_second=None)
        return watch_faces(source, FaceWatch(), budget=FrameBudget(), statistics=statistics)

    agent = Agent(world.post, watch=watch, forever=False)
    (decision,) = agent.passages()
    assert decision.seen.kinds == ("face",)
    assert decision.because == "unknown"
    assert len(world.server.sightings) == 1
    world.post.state.close()


def test_a_photo_of_a_car_gives_its_plate(real_data: Path, models: None) -> None:
    photo = next((real_data / "plates_cn_frames").glob("ccpd_*.jpg"))
    source = open_source(str(photo), frames_per_second=None)
    found = watch_plates(
        source, VotingFollower(Region.CN), budget=FrameBudget(), statistics=AgentStatistics()
    )
    (seen,) = [one for one in found if isinstance(one, Seen)]
    assert seen.plate
    assert seen.plate.candidates[0][0] == photo.stem.split("_")[2]
