"""Measurements that anybody can repeat; figures are ratios against a peer or a limit in the same run."""
