"""What verify, repair, backup and restore did, for people and for programs."""

from collections.abc import Iterator

import orjson

from vitrina.service_layer.upkeep import Checked, Copied, Damage, Loss, Range, Repaired, Verified


def of_verify(found: Verified) -> str:
    """Return the lines that say what was checked and what is wrong."""
    lines = [_checked(each) for each in found.checked]
    lines += [f"Note: {each}" for each in found.notes]
    for damage in found.damages:
        lines += _damage(damage)
    what = f"{_contents(found.products, found.categories)}, up to change {found.seq:,}"
    if found.whole:
        lines.append(f"All is whole: {what}.")
    else:
        lines.append(f"Damaged in {_counted(len(found.damages), 'place')}. What is whole: {what}.")
    return "\n".join(lines)


def of_repair(done: Repaired) -> str:
    """Return the lines that say what a repair found, kept and lost."""
    contents = _contents(done.products, done.categories)
    if not done.damages:
        return f"Nothing to repair: {contents}, up to change {done.seq:,}."
    lines = [line for damage in done.damages for line in _damage(damage)]
    for loss in done.lost:
        lines += _loss(loss)
    if not done.lost:
        lines.append("No change is lost.")
    if done.from_file:
        lines.append(f"From the product file: {', '.join(done.from_file)}")
    lines += [f"Adjusted: {each}" for each in done.adjusted]
    lines.append(f"Kept: {contents}, up to change {done.seq:,}.")
    if done.lost:
        lines.append(
            "The change feed begins anew: followers are told to read the whole catalog again."
        )
    elif done.aside or not done.done:
        lines.append(f"The past is kept from change {done.history_from:,} on.")
    if done.aside:
        lines.append(f"What was taken out is in {done.aside}.")
    if not done.done:
        lines.append("This was only shown; nothing was changed.")
    return "\n".join(lines)


def of_backup(done: Copied) -> str:
    """Return the lines that say what a backup holds."""
    return f"Backed up and verified: {done.path}: {_copied(done)}."


def of_restore(done: Copied) -> str:
    """Return the lines that say what was restored."""
    lines = [
        f"Restored: {done.path}: {_copied(done)}.",
        f"Serve it with: vitrina serve {done.path}",
    ]
    if done.aside:
        lines.insert(1, f"What was there before is in {done.aside}.")
    return "\n".join(lines)


def as_json(found: Verified | Repaired) -> str:
    """Return all of it as a JSON document."""
    whole = {"whole": found.whole} if isinstance(found, Verified) else {}
    document = {**whole, **{name: getattr(found, name) for name in found.__slots__}}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _copied(done: Copied) -> str:
    past = f"the past from change {done.oldest:,} on" if done.oldest <= done.seq else "no past"
    return (
        f"{_counted(done.products, 'product')}, up to change {done.seq:,}, with {past}; "
        f"{_counted(done.files, 'file')}, {done.size:,} bytes"
    )


def _checked(each: Checked) -> str:
    units = {"journal": "record", "snapshot": "product", "base": "product"}
    changes = ""
    if each.changes is not None and each.kind == "journal":
        changes = f", {_changes(each.changes)}"
    elif each.changes is not None:
        changes = f", as of change {each.changes[1]:,}"
    return (
        f"Read: {each.path} ({each.kind}): {each.size:,} bytes, "
        f"{_counted(each.count, units.get(each.kind, 'row'))}{changes}"
    )


def _damage(damage: Damage) -> Iterator[str]:
    yield f"Damage: {damage}"
    if damage.ids:
        yield f"  It speaks of: {', '.join(damage.ids)}"
    yield f"  What to do: {damage.remedy}"


def _loss(loss: Loss) -> Iterator[str]:
    match loss.since, loss.until:
        case None, None:
            when = ""
        case None, until:
            when = f", made before {until}"
        case since, None:
            when = f", made after {since}"
        case _:
            when = f", made between {loss.since} and {loss.until}"
    yield f"Lost: {_changes(loss.changes)}{when}"
    if loss.ids:
        yield f"  The damaged bytes speak of: {', '.join(loss.ids)}"


def _changes(changes: Range) -> str:
    first, last = changes
    return f"change {first:,}" if first == last else f"changes {first:,} to {last:,}"


def _contents(products: int, categories: int) -> str:
    return f"{_counted(products, 'product')}, {_counted(categories, 'category', 'categories')}"


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
