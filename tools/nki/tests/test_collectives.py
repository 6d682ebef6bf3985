"""nki.collectives: one instruction with kind, groups and bytes; numbers of one rank."""
import json
import os
import subprocess

import numpy as np
import pytest
from kernel_helpers import ncc, nl, random, run, tn
from trnsim_nki.trt import TraceWriter

X = random(4, 8, seed=1)
Y = random(4, 8, seed=2)


def traced(call, rows=4, **options):
    """(values of dst, attributes, operand counts) of one collective on X."""
    def kernel(x):
        dst = nl.ndarray((rows, 8), nl.float32, nl.shared_hbm)
        call(x, dst)
        return dst

    result, recorder = run(kernel, X, **options)
    (instruction,) = [i for i in recorder.instructions if i[0] == "collective"]
    return result.outputs, recorder.attribute(instruction), (len(instruction[2]), len(instruction[3]))


def test_all_reduce_has_operator_groups_and_bytes():
    group = ncc.ReplicaGroup([[0, 1], [2, 3]])
    got, attribute, counts = traced(lambda x, y: ncc.all_reduce([x], [y], replica_group=group, op=nl.add))
    np.testing.assert_array_equal(got, X)
    assert attribute == {"collective": "all_reduce", "op0": "add", "replica_groups": "0,1;2,3",
                         "bytes_per_rank": 4 * 8 * 4}
    assert counts == (1, 1)


@pytest.mark.parametrize("name, rows, expected", [
    ("all_gather", 8, np.concatenate([X, X])), ("reduce_scatter", 2, X[:2]), ("all_to_all", 4, X)])
def test_sizes(name, rows, expected):
    options = {"op": nl.add} if name == "reduce_scatter" else {}
    got, attribute, _ = traced(lambda x, y: getattr(ncc, name)(
        [x], [y], replica_group=ncc.ReplicaGroup([[0, 1]]), **options), rows)
    np.testing.assert_array_equal(got, expected)
    assert (attribute["collective"], attribute["bytes_per_rank"]) == (name, 128)


def test_permute_records_its_pairs():
    _, attribute, _ = traced(lambda x, y: ncc.collective_permute([x], [y], [[0, 1], [1, 0]]))
    assert (attribute["collective"], attribute["replica_groups"]) == ("permute", "0,1;1,0")


def test_permute_with_reduction_has_a_second_source():
    got, attribute, counts = traced(lambda x, y: ncc.collective_permute_implicit_reduce(
        [[x]], [[x]], [[y]], op=nl.add))
    np.testing.assert_array_equal(got, X + X)
    assert attribute["op0"] == "add" and counts == (1, 2)


def test_several_tensors_are_one_instruction():
    def kernel(x, y):
        a, b = nl.ndarray((4, 8), nl.float32, nl.shared_hbm), nl.ndarray((4, 8), nl.float32, nl.shared_hbm)
        ncc.all_reduce([x, y], [a, b], replica_group=ncc.ReplicaGroup([[0]]), op=nl.add)
        return a, b

    result, recorder = run(kernel, X, Y)
    np.testing.assert_array_equal(result.outputs[0], X)
    np.testing.assert_array_equal(result.outputs[1], Y)
    (instruction,) = [i for i in recorder.instructions if i[0] == "collective"]
    assert recorder.attribute(instruction)["bytes_per_rank"] == 256


def test_only_a_group_of_one_knows_all_data(recwarn):
    traced(lambda x, y: ncc.all_to_all([x], [y], replica_group=ncc.ReplicaGroup([[0]])))
    assert not recwarn.list
    traced(lambda x, y: ncc.collective_permute_implicit([[x]], [[y]], ncc.ReplicaGroup([[0, 1]])))
    assert "the data of other ranks is not known" in str(recwarn.list[0].message)


@pytest.mark.skipif("TRNSIM" not in os.environ, reason="needs trnsim")
def test_trnsim_shows_and_runs_it(tmp_path):
    def kernel(x):
        dst = nl.ndarray((8, 8), nl.float32, nl.shared_hbm)
        ncc.all_gather([x], [dst], replica_group=ncc.ReplicaGroup([[0, 1]]))
        return dst

    path = str(tmp_path / "k.trt")
    with TraceWriter(kernel="gather", path=path) as writer:
        tn.trace(kernel, X, writer=writer)
    trnsim = os.environ["TRNSIM"]
    text = subprocess.run([trnsim, "trace", "info", path, "--json", "-"], capture_output=True, check=True,
                          text=True).stdout
    assert json.loads(text)["collectives"] == [
        {"kind": "all_gather", "op": "none", "replica_groups": "0,1", "bytes_per_rank": 128,
         "instructions": 1}]
    done = subprocess.run([trnsim, "run", path], capture_output=True, check=True, text=True)
    assert done.stderr.count("the interconnect is not modelled") == 1
