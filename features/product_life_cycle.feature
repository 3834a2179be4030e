Feature: The life of a product
  A merchant puts products into the catalog, changes them and takes them out again.
  What the catalog says about a product is what was last agreed, and nothing else.

  Rule: A product needs little to exist

    Scenario: A title is enough
      When the merchant adds a product
        | field | value            |
        | title | Walnut desk lamp |
      Then the product is created
      And the catalog has chosen an id for it
      And the product says
        | field        | value            |
        | title        | Walnut desk lamp |
        | slug         | walnut-desk-lamp |
        | status       | active           |
        | condition    | new              |
        | availability | in_stock         |
        | version      | 1                |

    Scenario: Everything that was said about a product is kept
      Given these categories
        | id       | name     |
        | lighting | Lighting |
      When the merchant adds a product
        | field                | value                                 |
        | id                   | LAMP-1                                |
        | sku                  | LAMP-WAL-01                           |
        | title                | Walnut desk lamp                      |
        | description          | Turned by hand. Takes an E27 bulb.    |
        | brand                | Lumen & Oak                           |
        | category_id          | lighting                              |
        | condition            | refurbished                           |
        | price                | 129.90 EUR                            |
        | list_price           | 159.00 EUR                            |
        | quantity             | 12                                    |
        | gtin                 | 4006381333931                         |
        | mpn                  | LO-77                                 |
        | images               | https://img.example/lamp.jpg          |
        | attributes.material  | walnut                                |
        | attributes.dimmable  | true                                  |
        | attributes.height_cm | 45                                    |
        | tags                 | desk, gift                            |
        | url                  | https://shop.example/walnut-desk-lamp |
      Then the product is created
      And shoppers find LAMP-1 exactly as it was added

    Scenario: A product without a title is refused
      When the merchant adds a product
        | field | value      |
        | price | 129.90 EUR |
      Then it is refused because "title" is required
      And the catalog has no products

  Rule: A product can be replaced, changed and removed

    Background:
      Given a product LAMP-1
        | field    | value            |
        | title    | Walnut desk lamp |
        | brand    | Lumen & Oak      |
        | price    | 129.90 EUR       |
        | quantity | 12               |

    Scenario: A replacement forgets what it does not repeat
      When the merchant replaces LAMP-1
        | field | value         |
        | title | Oak desk lamp |
      Then it is accepted
      And LAMP-1 has the title "Oak desk lamp"
      And LAMP-1 has no brand
      And LAMP-1 has no price

    Scenario: A change leaves the rest alone
      When the merchant sets the title of LAMP-1 to "Oak desk lamp"
      Then it is accepted
      And LAMP-1 has the title "Oak desk lamp"
      And LAMP-1 has the brand "Lumen & Oak"
      And LAMP-1 has version 2

    Scenario: Saving a product as it is changes nothing
      When the merchant sets the title of LAMP-1 to "Walnut desk lamp"
      Then it is accepted
      And LAMP-1 has version 1

    Scenario: A replacement may also create
      When the merchant replaces RUG-1
        | field | value    |
        | title | Wool rug |
      Then the product is created
      And RUG-1 has the title "Wool rug"

    Scenario: A removed product is gone
      When the merchant removes LAMP-1
      Then it is accepted
      And there is no product LAMP-1

    Scenario: Only what exists can be removed
      When the merchant removes LAMP-1
      And the merchant removes LAMP-1
      Then it is refused because there is no such product

    Scenario: A removed product's names are free again
      When the merchant removes LAMP-1
      And the merchant adds a product
        | field | value            |
        | id    | LAMP-2           |
        | title | Walnut desk lamp |
        | slug  | walnut-desk-lamp |
      Then the product is created

  Rule: What the catalog keeps track of cannot be dictated

    Scenario Outline: A read-only field is refused
      When the merchant adds a product
        | field   | value   |
        | title   | Lamp    |
        | <field> | <value> |
      Then it is refused because "<field>" is set by the catalog

      Examples:
        | field      | value                       |
        | version    | 7                           |
        | created_at | 2020-01-01T00:00:00.000000Z |
        | updated_at | 2020-01-01T00:00:00.000000Z |

    Scenario: What was read may be sent back
      Given a product LAMP-1
        | field | value |
        | title | Lamp  |
      When the merchant sends LAMP-1 back as it was read
      Then it is accepted
      And LAMP-1 has version 1
