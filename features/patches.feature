Feature: Changing a part
  A program that knows one thing about a product says that one thing and leaves the rest alone,
  either as the fields it wants (a merge patch) or as steps to carry out (a JSON patch).

  Background:
    Given a product LAMP-1
      | field               | value            |
      | title               | Walnut desk lamp |
      | brand               | Lumen & Oak      |
      | price               | 129.90 EUR       |
      | quantity            | 12               |
      | tags                | desk, gift       |
      | attributes.material | walnut           |
      | attributes.bulb     | E27              |

  Rule: A merge patch says how fields shall be

    Scenario: Some fields of the product and of its attributes
      When the program merges into LAMP-1
        """
        {"quantity": 11, "attributes": {"bulb": "E14", "color": "brown"}}
        """
      Then it is accepted
      And LAMP-1 has the quantity 11
      And LAMP-1 has the attributes
        | name     | value  |
        | material | walnut |
        | bulb     | E14    |
        | color    | brown  |
      And LAMP-1 has the brand "Lumen & Oak"

    Scenario: Null takes away
      When the program merges into LAMP-1
        """
        {"brand": null, "attributes": {"bulb": null}}
        """
      Then it is accepted
      And LAMP-1 has no brand
      And LAMP-1 has the attributes
        | name     | value  |
        | material | walnut |

    Scenario: A list is replaced as a whole
      When the program merges into LAMP-1
        """
        {"tags": ["sale"]}
        """
      Then LAMP-1 has the tags "sale"

    Scenario: Plain JSON is read as a merge patch
      When the program sends LAMP-1 the plain JSON
        """
        {"quantity": 3}
        """
      Then it is accepted
      And LAMP-1 has the quantity 3
      And LAMP-1 has the brand "Lumen & Oak"

  Rule: A JSON patch says what to do, step by step

    Scenario: Several steps at once
      When the program carries out on LAMP-1
        """
        [
          {"op": "add", "path": "/tags/-", "value": "sale"},
          {"op": "remove", "path": "/tags/0"},
          {"op": "replace", "path": "/price/amount", "value": "99.00"},
          {"op": "move", "from": "/attributes/bulb", "path": "/attributes/socket"},
          {"op": "copy", "from": "/brand", "path": "/attributes/maker"}
        ]
        """
      Then it is accepted
      And LAMP-1 has the tags "gift, sale"
      And shoppers see LAMP-1 at 99.00 EUR
      And LAMP-1 has the attributes
        | name     | value       |
        | material | walnut      |
        | socket   | E27         |
        | maker    | Lumen & Oak |

    Scenario: A test guards the steps after it
      When the program carries out on LAMP-1
        """
        [
          {"op": "test", "path": "/quantity", "value": 12},
          {"op": "replace", "path": "/quantity", "value": 11}
        ]
        """
      Then it is accepted
      And LAMP-1 has the quantity 11

    Scenario: When a test fails nothing happens
      When the program carries out on LAMP-1
        """
        [
          {"op": "replace", "path": "/title", "value": "Oak desk lamp"},
          {"op": "test", "path": "/quantity", "value": 99},
          {"op": "replace", "path": "/quantity", "value": 98}
        ]
        """
      Then it is refused because the patch does not fit the product
      And LAMP-1 has the title "Walnut desk lamp"
      And LAMP-1 has version 1

    Scenario: A step on something that is not there
      When the program carries out on LAMP-1
        """
        [{"op": "remove", "path": "/attributes/color"}]
        """
      Then it is refused because the patch does not fit the product

    Scenario Outline: What is not a patch is refused
      When the program carries out on LAMP-1
        """
        <patch>
        """
      Then it is refused because the patch is malformed

      Examples:
        | patch                               |
        | {"op": "remove", "path": "/brand"}  |
        | [{"op": "burn", "path": "/brand"}]  |
        | [{"op": "add", "path": "/brand"}]   |
        | [{"op": "remove", "path": "brand"}] |

  Rule: A patched product obeys the same rules as any other

    Scenario: A patch cannot take away what a product needs
      When the program merges into LAMP-1
        """
        {"title": null}
        """
      Then it is refused because "title" is required
      And LAMP-1 has the title "Walnut desk lamp"

    Scenario: A patch cannot invent fields
      When the program merges into LAMP-1
        """
        {"colour": "brown"}
        """
      Then it is refused because "colour" is not a field

    Scenario: There is nothing to patch
      When the program merges into SOFA-9
        """
        {"quantity": 1}
        """
      Then it is refused because there is no such product
