"""The compiled files: fresh, complete, the same for the same source."""

from __future__ import annotations

import json

from tikomni.catalog import INDEX, ROUTES, Route, compile


def test_compiled_files_are_fresh() -> None:
    lines, index = compile.build()
    assert (ROUTES.read_bytes(), INDEX.read_bytes()) == (lines, index)


def test_check_tells_stale_from_fresh(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compile, "build", lambda: (b"routes\n", b"index\n"))
    monkeypatch.setattr(compile, "ROUTES", tmp_path / "routes.jsonl")
    monkeypatch.setattr(compile, "INDEX", tmp_path / "index.json")
    assert compile.main(["--check"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert compile.main([]) == 0
    assert compile.main(["--check"]) == 0
    (tmp_path / "index.json").write_bytes(b"older\n")
    assert compile.main(["--check"]) == 1


def test_every_route_is_there_once(routes: dict[str, Route]) -> None:
    assert len(routes) == 1065
    assert list(routes) == sorted(routes)
    assert len({(route.method, route.path) for route in routes.values()}) == 1065
    assert len({route.tag for route in routes.values()}) == 56


def test_the_index_points_at_its_line() -> None:
    data, index = ROUTES.read_bytes(), json.loads(INDEX.read_bytes())
    for route_id, (offset, length) in index["routes"].items():
        row = json.loads(data[offset : offset + length])
        assert row["id"] == route_id
        assert index["paths"][f"{row['method']} {row['path']}"] == route_id
