"""Damage of every kind, at any place: it is found, and everything outside of it survives."""

import contextlib
import errno
import json
import shutil
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tests.builders import LAMP
from tests.crash_states import Died, RecordingDisk
from tests.integration.catalogs import CURRENCY, Past, fields, journal, new_catalog, served
from tests.integration.disks import FailingDisk
from vitrina.adapters.catalog_folder import locate_served
from vitrina.adapters.journal.folder import open_store
from vitrina.adapters.upkeep.repair import repair
from vitrina.adapters.upkeep.verify import verify
from vitrina.domain.category import Category
from vitrina.domain.errors import ChangesGone, ProductNotFound
from vitrina.service_layer.documents import Document
from vitrina.service_layer.opening import CannotOpen
from vitrina.service_layer.ports import Answered
from vitrina.service_layer.upkeep import Repaired, Verified

steps = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.none()
        | st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=6).filter(
            str.strip
        ),
    ),
    max_size=8,
)


def damage(data: st.DataObject, files: list[Path]) -> str:
    """Damage one of the files, and say how."""
    path = data.draw(st.sampled_from(files), label="file")
    old = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut", "take out", "zero", "delete", "put in"]))
    if kind == "delete" or not old:
        path.unlink()
        return "delete"
    start = data.draw(st.integers(0, len(old) - 1), label="start")
    end = min(len(old), start + data.draw(st.integers(1, 300), label="length"))
    match kind:
        case "flip":
            bit = 1 << data.draw(st.integers(0, 7), label="bit")
            new = old[:start] + bytes([old[start] ^ bit]) + old[start + 1 :]
        case "cut":
            new = old[:start]
        case "take out":
            new = old[:start] + old[end:]
        case "zero":
            new = old[:start] + bytes(end - start) + old[end:]
        case _:
            new = old[:start] + old[start:end] + old[start:]
    path.write_bytes(new)
    return kind


def expected(
    past: Past, *, intact: dict[int, bytes], snapshots: list[int], base: int
) -> dict[str, Document]:
    """Return the products as far as any file that is left knows them."""
    left = b"\n".join(each.read_bytes() for each in journal(past.location))
    known = [seq for seq, line in intact.items() if line in left]
    found: dict[str, Document] = {}
    for key in set(past.touched.values()):
        of_key = [seq for seq in known if past.touched[seq] == key]
        best = max([*of_key, *(past.of(key, upto) for upto in (*snapshots, base))], default=0)
        if key in past.states[best]:
            found[key] = fields(past.states[best][key])
    return found


@dataclass(frozen=True, slots=True)
class Plan:
    """How a catalog comes to be: three stretches of its past, of which the file knows two."""

    first: list[tuple[int, str | None]]
    then: list[tuple[int, str | None]]
    last: list[tuple[int, str | None]]
    segment_bytes: int
    fold: bool
    """A snapshot is made at the end."""

    damages: int


plans = st.builds(
    Plan,
    steps,
    steps,
    steps,
    st.sampled_from([1, 1500, 2**20]),
    st.booleans(),
    st.integers(1, 2),
)


@settings(max_examples=60, deadline=None)
@given(plan=plans, data=st.data())
def test_what_is_outside_the_damage_survives(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan, data: st.DataObject
) -> None:
    """Every change that some file still holds is there after a repair, and no other state.

    Method: write a history, part of which the product file and snapshots know; damage journal and
    snapshots; compare what is served after a repair with what the remaining bytes tell.
    """
    folder = tmp_path_factory.mktemp("shop")
    past = Past(new_catalog(folder))
    past.without_files(plan.first, segment_bytes=plan.segment_bytes)
    past.with_files(plan.then)
    base = past.last
    past.without_files(plan.last, segment_bytes=plan.segment_bytes, fold=plan.fold)
    location = past.location
    lines = b"".join(each.read_bytes() for each in journal(location)).splitlines()
    intact = dict(enumerate(lines, 1))
    files = [*journal(location), *location.state.glob("snapshot-*")]
    before = {each: each.read_bytes() for each in files}
    for _ in range(plan.damages):
        if left := [each for each in files if each.exists()]:
            damage(data, left)
    snapshots = [
        int(each.stem.removeprefix("snapshot-"))
        for each in files
        if each.match("snapshot-*.jsonl") and each.exists() and each.read_bytes() == before[each]
    ]

    found = verify(location, currency=CURRENCY)
    hoped = expected(past, intact=intact, snapshots=snapshots, base=base)
    shown = repair(location, currency=CURRENCY, only_show=True)
    done = repair(location, currency=CURRENCY)

    assert (shown.seq, shown.products, shown.lost) == (done.seq, done.products, done.lost)
    assert verify(location, currency=CURRENCY).whole
    assert repair(location, currency=CURRENCY).damages == ()
    there = {key: fields(each) for key, each in served(location).items()}
    if found.whole:
        # Only the end can be lost without a trace, as after a crash.
        assert there in [{k: fields(v) for k, v in each.items()} for each in past.states.values()]
        if not any(each for each in found.notes if "unfinished" in each):
            assert there == hoped
    else:
        assert there == hoped
    shutil.rmtree(folder)


def made(tmp_path: Path, count: int, *, segment_bytes: int = 2**20, fold: bool = False) -> Past:
    """Make a catalog with *count* products that its file does not have yet."""
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    steps = [(number, f"Lamp {number}") for number in range(count)]
    past.without_files(list(steps), segment_bytes=segment_bytes, fold=fold)
    return past


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def written(folder: Path) -> dict[Path, int]:
    """Return when each file below the folder was last changed, but for those that each process uses."""
    used = {"lock", "marks"}
    return {each: each.stat().st_mtime_ns for each in folder.rglob("*") if each.name not in used}


def codes(found: Verified | Repaired) -> list[str]:
    return [each.code for each in found.damages]


def test_a_whole_catalog_is_left_as_it_is(tmp_path: Path) -> None:
    location = made(tmp_path, 3).location
    before = written(location.folder)

    done = repair(location, currency=CURRENCY)

    assert (done.seq, done.products, done.damages, done.lost, done.aside) == (3, 3, (), (), None)
    assert written(location.folder) == before


def test_a_damaged_record_is_told_with_place_time_and_product(tmp_path: Path) -> None:
    location = made(tmp_path, 5).location
    (live,) = journal(location)
    lines = live.read_bytes().splitlines(keepends=True)
    flip(live, len(lines[0]) + len(lines[1]) + 200)

    found = verify(location, currency=CURRENCY)
    done = repair(location, currency=CURRENCY)

    (damage,) = found.damages
    assert (damage.path, damage.offset, damage.size) == (
        str(live),
        len(lines[0]) + len(lines[1]),
        len(lines[2]),
    )
    assert (damage.code, damage.changes, damage.ids) == ("damaged_records", (3, 3), ("lamp-2",))
    assert f"vitrina repair {location.folder}" in damage.remedy
    (loss,) = done.lost
    assert (loss.changes, loss.ids) == ((3, 3), ("lamp-2",))
    assert loss.since
    assert loss.until
    assert loss.since < loss.until
    assert done.aside
    report = json.loads((Path(done.aside) / "report.json").read_bytes())
    assert report["lost"][0]["changes"] == [3, 3]
    assert (Path(done.aside) / live.name).is_file()


def test_after_a_loss_followers_start_anew_and_no_number_comes_twice(tmp_path: Path) -> None:
    past = made(tmp_path, 5)
    flip(journal(past.location)[0], 100)

    repair(past.location, currency=CURRENCY)

    with open_store(past.location.state) as opened:
        store = opened.store
        assert store.seq == 6
        with pytest.raises(ChangesGone):
            store.changes(5, limit=10)
        past.do(store, 0, "Once more")
        assert [each.seq for each in store.changes(6, limit=10)] == [7]


def test_damage_that_a_snapshot_covers_shortens_the_past_only(tmp_path: Path) -> None:
    past = made(tmp_path, 6, segment_bytes=1, fold=True)
    before = served(past.location)
    second = journal(past.location)[1]
    flip(second, 30)

    done = repair(past.location, currency=CURRENCY)

    assert (done.lost, done.history_from, done.seq) == ((), 3, 6)
    assert served(past.location) == before
    with open_store(past.location.state) as opened:
        assert [each.seq for each in opened.store.changes(2, limit=3)] == [3, 4, 5]
        assert opened.store.oldest == 3


def test_the_whole_end_of_a_damaged_segment_is_kept(tmp_path: Path) -> None:
    past = made(tmp_path, 6, fold=True)
    flip(journal(past.location)[0], 30)

    done = repair(past.location, currency=CURRENCY)

    assert (done.lost, done.history_from) == ((), 2)
    assert [each.name for each in journal(past.location)] == ["0000000000000002.jsonl"]
    with open_store(past.location.state) as opened:
        assert [each.seq for each in opened.store.changes(1, limit=9)] == [2, 3, 4, 5, 6]


def test_a_lost_line_end_costs_nothing(tmp_path: Path) -> None:
    past = made(tmp_path, 4)
    (live,) = journal(past.location)
    lines = live.read_bytes().splitlines()
    for joined in (b"X", b""):
        live.write_bytes(lines[0] + b"\n" + lines[1] + joined + lines[2] + b"\n" + lines[3] + b"\n")
        found = verify(past.location, currency=CURRENCY)
        assert codes(found) == ["foreign_bytes" if joined else "lost_line_end"]
        done = repair(past.location, currency=CURRENCY)
        assert (done.lost, done.history_from, done.products) == ((), 1, 4)
        assert live.read_bytes() == b"\n".join([*lines, b""])


def test_what_the_file_knows_is_taken_from_it(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([(1, "One"), (2, "Two"), (3, "Three"), (1, None), (2, "Two again")])
    before = served(past.location)
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    (live,) = journal(past.location)
    lines = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(b"".join([lines[0], lines[1], b"#" * 50, b"\n"]))

    done = repair(past.location, currency=CURRENCY)

    assert [each.changes for each in done.lost] == [(3, 5)]
    assert sorted(done.from_file) == ["lamp-1", "lamp-2", "lamp-3"]
    after = served(past.location)
    assert {key: fields(each) for key, each in after.items()} == {
        key: fields(each) for key, each in before.items()
    }


def test_a_key_that_two_products_would_share_stays_with_the_later_one(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    with open_store(past.location.state) as opened:
        for key, sku in (("a", "S"), ("a", "T"), ("b", "S")):
            with opened.store.unit_of_work() as uow:
                try:
                    known = uow.products.get(key)
                    uow.products.save(known.become(replace(known, sku=sku)))
                except ProductNotFound:
                    uow.products.save(replace(LAMP, id=key, sku=sku, slug=key).created())
                uow.commit()
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    (live,) = journal(past.location)
    lines = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(lines[0] + lines[2])

    done = repair(past.location, currency=CURRENCY)

    assert "Product a lost its sku 'S', which b had later." in done.adjusted
    after = served(past.location)
    assert (after["a"]["sku"], after["a"]["version"], after["b"]["sku"]) == (None, 2, "S")


def test_a_category_whose_making_is_lost_is_made_anew(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    home = Category(id="home", name="Home")
    with open_store(past.location.state) as opened:
        for each in (home, Category(id="light", name="Light", parent_id="home")):
            with opened.store.unit_of_work() as uow:
                uow.categories.save(each)
                uow.commit()
        with opened.store.unit_of_work() as uow:
            uow.products.save(replace(LAMP, category_id="light").created())
            uow.commit()
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    (live,) = journal(past.location)
    live.write_bytes(live.read_bytes().splitlines(keepends=True)[2])

    done = repair(past.location, currency=CURRENCY)

    assert done.adjusted == ("Category light was made anew, as 'light'.",)
    assert done.categories == 1
    assert served(past.location)["lamp"]["category_id"] == "light"


def categories(past: Past, *wanted: Category, remove: str | None = None) -> None:
    """Save categories, or remove one, each a change of its own, and leave no snapshot."""
    with open_store(past.location.state) as opened:
        for each in wanted:
            with opened.store.unit_of_work() as uow:
                uow.categories.save(each)
                uow.commit()
        if remove:
            with opened.store.unit_of_work() as uow:
                uow.categories.remove(remove)
                uow.commit()
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()


def keep_lines(past: Past, *numbers: int) -> None:
    """Leave only these records in the journal, by their place."""
    (live,) = journal(past.location)
    lines = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(b"".join(lines[number] for number in numbers))


def tree(past: Past) -> dict[str, str | None]:
    with open_store(past.location.state) as opened:
        return {each.id: each.parent_id for each in opened.store.view.categories()}


HOME = Category(id="home", name="Home")
LIGHT = Category(id="light", name="Light", parent_id="home")


def test_categories_that_the_file_knows_are_taken_from_it(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    categories(past, HOME, LIGHT, Category(id="old", name="Old"), remove="old")
    past.with_files([(1, "One")])
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    keep_lines(past, 0, 2, 4)  # "light" and the end of "old" are lost.

    done = repair(past.location, currency=CURRENCY)

    assert "Categories as categories.json has them: light." in done.adjusted
    assert tree(past) == {"home": None, "light": "home"}


@pytest.mark.parametrize("name", ["categories.json", "products.csv"])
def test_files_that_cannot_be_read_are_left_out(tmp_path: Path, name: str) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    categories(past, HOME, LIGHT)
    past.with_files([(1, "One"), (2, "Two")])
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    (base,) = past.location.base.glob(f"*.{name}")
    base.write_bytes(b"\xff\xfe\x00")
    keep_lines(past, 0, 1, 3)

    done = repair(past.location, currency=CURRENCY)

    assert any("could not be used" in each for each in done.adjusted)
    assert tree(past) == {"home": None, "light": "home"}


def test_categories_that_would_lie_below_one_another(tmp_path: Path) -> None:
    """The change between, which took one out of the other's way, is lost."""
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    alone = replace(LIGHT, parent_id=None)
    categories(past, HOME, LIGHT, alone, replace(HOME, parent_id="light"))
    keep_lines(past, 0, 1, 3)

    done = repair(past.location, currency=CURRENCY)

    assert len(done.adjusted) == 1
    assert "is a root now" in done.adjusted[0]
    assert sorted(tree(past)) == ["home", "light"]
    assert None in tree(past).values()


def test_answers_to_idempotency_keys_survive(tmp_path: Path) -> None:
    past = made(tmp_path, 2)
    with open_store(past.location.state) as opened:
        for number in (3, 4):
            with opened.store.unit_of_work() as uow:
                stored = uow.products.save(
                    replace(LAMP, id=f"x{number}", sku=None, slug=None).created()
                )
                uow.remember(f"key-{number}", Answered("print", stored))
                uow.commit()
    for path in past.location.state.glob("snapshot-*"):
        path.unlink()
    flip(journal(past.location)[0], 100)

    repair(past.location, currency=CURRENCY)

    with open_store(past.location.state) as opened, opened.store.unit_of_work() as uow:
        for number in (3, 4):
            answered = uow.answered(f"key-{number}")
            assert answered
            assert answered.product == opened.store.view.product(f"x{number}")


def test_all_snapshots_and_the_beginning_are_lost(tmp_path: Path) -> None:
    """Nothing tells of the first products but the product file."""
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([(1, "One"), (2, "Two")])
    past.without_files([(3, "Three")], segment_bytes=1)
    location = past.location
    for path in location.state.glob("snapshot-*"):
        path.write_bytes(b"nonsense")
    journal(location)[0].unlink()
    with pytest.raises(CannotOpen, match=f"vitrina repair {location.folder}"):
        served(location)

    done = repair(location, currency=CURRENCY)

    assert sorted(done.from_file) == ["lamp-1", "lamp-2"]
    assert sorted(served(location)) == ["lamp-1", "lamp-2", "lamp-3"]


def test_only_the_state_is_left(tmp_path: Path) -> None:
    past = made(tmp_path, 3)
    folder = past.location.folder
    (folder / "products.csv").unlink()
    shutil.rmtree(past.location.base)
    location = locate_served(folder)
    assert codes(verify(location, currency=CURRENCY)) == ["missing_files"]

    repair(location, currency=CURRENCY)

    assert sorted(served(location)) == ["lamp-0", "lamp-1", "lamp-2"]
    assert "Lamp 2" in (folder / "products.csv").read_text()
    assert verify(location, currency=CURRENCY).whole


def test_a_lost_copy_of_the_file(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([(1, "One")])
    shutil.rmtree(past.location.base)
    assert codes(verify(past.location, currency=CURRENCY)) == ["missing_base"]

    repair(past.location, currency=CURRENCY)

    assert verify(past.location, currency=CURRENCY).whole


def test_a_file_that_says_something_else_is_corrected(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([(1, "One"), (2, "Two")])
    (base,) = past.location.base.glob("0*")
    for path in (base, past.location.file):
        path.write_text(path.read_text().replace("Two", "Zwei"))
    found = verify(past.location, currency=CURRENCY)
    assert [(each.code, each.ids) for each in found.damages] == [("file_differs", ("lamp-2",))]

    repair(past.location, currency=CURRENCY)

    assert "Two" in past.location.file.read_text()
    assert verify(past.location, currency=CURRENCY).whole


def test_a_snapshot_of_another_state_is_found(tmp_path: Path) -> None:
    past = made(tmp_path, 3, fold=True)
    (path,) = (each for each in past.location.state.glob("snapshot-*3.jsonl"))
    content = path.read_bytes().replace(b"Lamp 2", b"Lamp X").splitlines(keepends=True)[:-1]
    body = b"".join(content)
    path.write_bytes(body + b'{"crc":"%08x","bytes":%d}\n' % (zlib.crc32(body), len(body)))

    found = verify(past.location, currency=CURRENCY)
    assert codes(found) == ["damaged_keys", "other_state"]
    assert "those of another snapshot" in found.damages[0].meaning


def test_edits_and_pending_changes_are_no_damage(tmp_path: Path) -> None:
    past = made(tmp_path, 2)
    past.location.file.write_text("id,title\nRUG,Wool rug\n")

    found = verify(past.location, currency=CURRENCY)

    assert found.whole
    assert any("was edited" in each for each in found.notes)
    assert any("2 products were changed" in each for each in found.notes)


def test_another_version_is_neither_checked_nor_repaired(tmp_path: Path) -> None:
    past = made(tmp_path, 1)
    (live,) = journal(past.location)
    rest = live.read_bytes()[18:-1].replace(b"product.created", b"product.painted")
    live.write_bytes(b'{"crc":"%08x",' % zlib.crc32(rest) + rest + b"\n")

    with pytest.raises(CannotOpen, match="another version"):
        verify(past.location, currency=CURRENCY)
    with pytest.raises(CannotOpen, match=r"another version.*Nothing was changed"):
        repair(past.location, currency=CURRENCY)


def test_a_catalog_in_use_is_checked_and_not_repaired(tmp_path: Path) -> None:
    past = made(tmp_path, 1)
    with open_store(past.location.state):
        assert verify(past.location, currency=CURRENCY).whole
        with pytest.raises(CannotOpen, match="another process"):
            repair(past.location, currency=CURRENCY)


def test_a_repair_that_is_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    """Method: stop a repair before each step that changes the disk; repair again and compare."""
    for lossy in (False, True):
        past = made(tmp_path / str(lossy), 6, segment_bytes=1500, fold=not lossy)
        location = past.location
        flip(journal(location)[0], 700)
        whole = tmp_path / f"copy-{lossy}"
        shutil.copytree(location.folder, whole)
        expected: tuple[int, dict[str, Document]] | None = None
        for step in range(100):
            shutil.rmtree(location.folder)
            shutil.copytree(whole, location.folder)
            disk = RecordingDisk(location.folder)
            disk.die_at = step or None
            if step:
                with contextlib.suppress(CannotOpen, Died):
                    repair(location, currency=CURRENCY, disk=disk)
            repair(location, currency=CURRENCY)
            seen = verify(location, currency=CURRENCY)
            assert seen.whole, (step, seen.damages)
            there = (seen.products, served(location))
            expected = expected or there
            assert there == expected, step
            if step and not disk.dead:
                break
        else:
            pytest.fail("the repair never ended")


def test_a_repair_that_is_refused_by_the_system(tmp_path: Path) -> None:
    past = made(tmp_path, 3)
    flip(journal(past.location)[0], 100)
    disk = FailingDisk()
    disk.fail("rename", errno.EIO)

    with pytest.raises(CannotOpen, match="EIO"):
        repair(past.location, currency=CURRENCY, disk=disk)
    assert repair(past.location, currency=CURRENCY).products == 2


def test_what_cannot_be_checked_is_said(tmp_path: Path) -> None:
    past = made(tmp_path, 1)
    journal(past.location)[0].unlink()
    (past.location.state / "journal" / "0000000000000001.jsonl").mkdir()
    with pytest.raises(CannotOpen, match="cannot be read"):
        verify(past.location, currency=CURRENCY)
    nothing = new_catalog(tmp_path / "other")
    for command in (verify, repair):
        with pytest.raises(CannotOpen, match="never served"):
            command(nothing, currency=CURRENCY)


def test_a_file_that_lags_behind_the_past_is_no_damage(tmp_path: Path) -> None:
    past = made(tmp_path, 4, segment_bytes=1, fold=True)
    for segment in journal(past.location)[:2]:
        segment.unlink()

    found = verify(past.location, currency=CURRENCY)

    assert found.whole
    assert any("writes out every product that differs" in each for each in found.notes)


def test_leftovers_and_a_missing_file_are_told(tmp_path: Path) -> None:
    past = made(tmp_path, 1)
    (past.location.state / "snapshot-0000000000000009.jsonl.tmp").touch()
    past.location.file.unlink()

    found = verify(past.location, currency=CURRENCY)

    assert found.whole
    assert [each.partition(" ")[2][:10] for each in found.notes] == ["was left b", "is missing"]


def test_more_attributes_than_a_csv_has_columns(tmp_path: Path) -> None:
    past = Past(new_catalog(tmp_path / "shop"))
    past.with_files([])
    with open_store(past.location.state) as opened:
        for number in range(83):
            many = {f"a{number}-{each}": "x" for each in range(200)}
            with opened.store.unit_of_work() as uow:
                product = replace(LAMP, id=f"p{number}", sku=None, slug=None, attributes=many)
                uow.products.save(product.created())
                uow.commit()
    shutil.rmtree(past.location.base)
    past.location.file.unlink()

    repair(locate_served(past.location.folder), currency=CURRENCY)

    again = locate_served(past.location.folder)
    assert again.file.name == "products.jsonl"
    assert len(served(again)) == 83
