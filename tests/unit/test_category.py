import pytest

from vitrina.domain.category import DEPTH_MAX, Category, CategoryTree
from vitrina.domain.errors import (
    CategoryCycle,
    CategoryInUse,
    CategoryNotFound,
    InvalidDocument,
)

HOME = Category(id="home", name="Home")
LIGHT = Category(id="light", name="Lighting", parent_id="home")
DESK = Category(id="desk", name="Desk lamps", parent_id="light")
GARDEN = Category(id="garden", name="Garden")


@pytest.fixture
def tree() -> CategoryTree:
    """Home > Lighting > Desk lamps, and Garden beside it."""
    tree = CategoryTree()
    for each in (HOME, LIGHT, DESK, GARDEN):
        tree = tree.place(each)
    return tree


def test_a_path_leads_from_the_root_to_the_category(tree: CategoryTree) -> None:
    assert tree.path("desk") == ("Home", "Lighting", "Desk lamps")


def test_a_tree_lists_parents_first_and_siblings_by_name(tree: CategoryTree) -> None:
    assert [each.id for each in tree] == ["garden", "home", "light", "desk"]


def test_a_subtree_is_the_category_and_all_below(tree: CategoryTree) -> None:
    assert tree.subtree("light") == {"light", "desk"}
    assert tree.subtree("nowhere") == frozenset()


def test_moving_a_category_moves_its_subtree(tree: CategoryTree) -> None:
    moved = tree.place(Category(id="light", name="Lighting", parent_id="garden"))

    assert moved.path("desk") == ("Garden", "Lighting", "Desk lamps")
    assert tree.path("desk") == ("Home", "Lighting", "Desk lamps")


@pytest.mark.parametrize("parent", ["home", "light", "desk"])
def test_a_category_cannot_lie_below_itself(tree: CategoryTree, parent: str) -> None:
    with pytest.raises(CategoryCycle):
        tree.place(Category(id="home", name="Home", parent_id=parent))


def test_a_parent_must_exist(tree: CategoryTree) -> None:
    with pytest.raises(InvalidDocument) as refused:
        tree.place(Category(id="x", name="X", parent_id="nowhere"))

    assert refused.value.faults[0].pointer == "/parent_id"


def test_a_tree_has_a_greatest_depth() -> None:
    tree = CategoryTree()
    parent = None
    for level in range(DEPTH_MAX):
        tree = tree.place(Category(id=f"c{level}", name="C", parent_id=parent))
        parent = f"c{level}"

    with pytest.raises(InvalidDocument, match="at most 32 levels"):
        tree.place(Category(id="deeper", name="C", parent_id=parent))


def test_moving_counts_the_depth_of_what_is_moved_along(tree: CategoryTree) -> None:
    parent = None
    for level in range(DEPTH_MAX - 2):
        tree = tree.place(Category(id=f"c{level}", name="C", parent_id=parent))
        parent = f"c{level}"

    with pytest.raises(InvalidDocument, match="at most 32 levels"):
        tree.place(Category(id="home", name="Home", parent_id=parent))
    assert tree.place(Category(id="light", name="L", parent_id=parent)).path("desk")


def test_a_category_with_subcategories_stays(tree: CategoryTree) -> None:
    with pytest.raises(CategoryInUse, match="1 subcategory"):
        tree.without("light", products=0)


def test_a_category_with_products_stays(tree: CategoryTree) -> None:
    with pytest.raises(CategoryInUse, match="3 product"):
        tree.without("desk", products=3)


def test_an_empty_category_can_go(tree: CategoryTree) -> None:
    assert len(tree.without("desk", products=0)) == 3


def test_what_does_not_exist_cannot_go(tree: CategoryTree) -> None:
    with pytest.raises(CategoryNotFound):
        tree.without("nowhere", products=0)


def test_faults_of_a_category_are_listed_together() -> None:
    with pytest.raises(InvalidDocument) as refused:
        Category(id="a b", name="")

    assert [each.pointer for each in refused.value.faults] == ["/id", "/name"]


def test_a_name_is_kept_in_normalization_form_c() -> None:
    assert Category(id="c", name="Cafe\u0301").name == "Café"
