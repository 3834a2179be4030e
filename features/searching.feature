Feature: Searching
  Shoppers type what they have in mind: half a word, a typo, a model number.
  They find what they meant, the best first, and are never sent away empty-handed by a slip.

  Background:
    Given these categories
      | id    | name     |
      | audio | Audio    |
      | video | Video    |
    And these products
      | id     | title                    | brand | category_id | sku    |
      | EAR-1  | Wireless headphones      | Sono  | audio       | WH-100 |
      | EAR-2  | Wired headphones         | Sono  | audio       | WD-200 |
      | PLAY-1 | Blu-ray player           | Visio | video       | BR-300 |
      | PLAY-2 | Bluray player with wi-fi | Visio | video       | BR-301 |
      | CABLE  | Cable for WH-100         | Knot  |             | C-1    |
      | SHELF  | Shelf for speakers       |       |             | S-1    |
      | COAT   | Woman's coat             |       |             | S-2    |

  Rule: What was meant is found

    Scenario Outline: However it is typed
      When a client lists the products where q is "<text>"
      Then the list is <products>

      Examples:
        | text                | products       |
        | wireless headphones | EAR-1, EAR-2 |
        | HEADPHONE           | EAR-1, EAR-2 |
        | headphnes           | EAR-1, EAR-2 |
        | wirel               | EAR-1         |
        | bluray              | PLAY-2, PLAY-1 |
        | blu ray             | PLAY-1, PLAY-2 |
        | wifi                | PLAY-2         |
        | knot                | CABLE          |
        | audoi               | EAR-1, EAR-2   |
        | shelves             | SHELF          |
        | women               | COAT           |

    Scenario: An identifier leads to its product first
      When a client lists the products where q is "WH-100"
      Then the list is EAR-1, CABLE

    Scenario: What nobody sells is not found
      When a client lists the products where q is "unicorn"
      Then the list is empty

  Rule: What is being typed is completed

    Scenario Outline: Offered while typing
      Given a product MUG called "Caneca de Café AT&T"
      When a shopper has typed "<typed>"
      Then the shopper is offered to search for "<query>"

      Examples:
        | typed        | query               |
        | headp        | headphones          |
        | wirless head | wireless headphones |
        | caneca de ca | caneca de café      |
        | at&t ca      | at&t café           |
        | blu-ray pl   | blu-ray player      |
