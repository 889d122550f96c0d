"""The compiled files: fresh, complete, the same for the same source."""

from __future__ import annotations

from tikomni.catalog import ROUTES, Route, compile, get, ids, match


def test_the_compiled_file_is_fresh() -> None:
    assert ROUTES.read_bytes() == compile.build()


def test_check_tells_stale_from_fresh(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compile, "build", lambda: b"routes\n")
    monkeypatch.setattr(compile, "ROUTES", tmp_path / "routes.txt")
    assert compile.main(["--check"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert compile.main([]) == 0
    assert compile.main(["--check"]) == 0
    (tmp_path / "routes.txt").write_bytes(b"older\n")
    assert compile.main(["--check"]) == 1


def test_every_route_is_there_once(routes: dict[str, Route]) -> None:
    assert len(routes) == 1065
    assert list(routes) == sorted(routes)
    assert len({(route.method, route.path) for route in routes.values()}) == 1065
    assert len({route.tag for route in routes.values()}) == 56


def test_every_route_is_found_by_its_id_and_by_its_address(routes: dict[str, Route]) -> None:
    assert ids() == tuple(routes)
    for route in routes.values():
        assert get(route.id) == route
        if "{" not in route.path:
            assert match(route.method, route.path) == (route, {})
