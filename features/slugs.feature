Feature: Names in addresses
  A shop's page addresses should speak, so every product has a slug that names it and no other.

  Scenario Outline: A slug is made from the title
    When the merchant adds a product called "<title>"
    Then the product is created
    And the product says
      | field | value  |
      | slug  | <slug> |

    Examples:
      | title                     | slug                  |
      | Walnut Desk Lamp          | walnut-desk-lamp      |
      | Crème Brûlée, 4 Stück     | creme-brulee-4-stuck  |
      | Cable USB-C → USB-A (2 m) | cable-usb-c-usb-a-2-m |
      | 茶碗                      | 茶碗                  |

  Scenario: Two products with one title get different slugs
    Given a product LAMP-1 called "Desk lamp"
    And a product LAMP-2 called "Desk lamp"
    Then LAMP-1 has the slug "desk-lamp"
    And the slug of LAMP-2 begins with "desk-lamp-"

  Scenario: A page finds its product by the slug
    Given a product LAMP-1 called "Desk lamp"
    When a shopper opens the address "desk-lamp"
    Then the shopper sees LAMP-1

  Scenario: An address that names nothing
    When a shopper opens the address "desk-lamp"
    Then it is refused because there is no such product

  Scenario: An address outlives a new title
    Given a product LAMP-1 called "Desk lamp"
    When the merchant sets the title of LAMP-1 to "Reading lamp"
    Then LAMP-1 has the slug "desk-lamp"

  Scenario: The merchant chooses another slug
    Given a product LAMP-1 called "Desk lamp"
    When the merchant sets the slug of LAMP-1 to "reading-lamp"
    And a shopper opens the address "reading-lamp"
    Then the shopper sees LAMP-1

  Scenario: A slug in use is refused
    Given a product LAMP-1 called "Desk lamp"
    And a product RUG-1 called "Wool rug"
    When the merchant sets the slug of RUG-1 to "desk-lamp"
    Then it is refused because the slug is taken

  Scenario Outline: What cannot be a slug
    Given a product LAMP-1
    When the merchant sets the slug of LAMP-1 to "<slug>"
    Then it is refused because "slug" is not a valid slug

    Examples:
      | slug       |
      | Desk-Lamp  |
      | desk lamp  |
      | desk--lamp |
      | desk/lamp  |
