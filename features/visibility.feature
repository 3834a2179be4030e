Feature: Who sees what
  A merchant prepares products as drafts, sells them while they are active, and archives them afterwards.
  Shoppers browse what is active; a merchant can list the rest by asking for it.

  Background:
    Given these products
      | id     | status   |
      | LAMP-1 | active   |
      | RUG-1  | draft    |
      | SOFA-1 | archived |

  Rule: Browsing shows what is active unless someone asks for more

    Scenario: Shoppers browse active products
      When a shopper browses the catalog
      Then the list is LAMP-1

    Scenario Outline: A merchant asks for another status
      When a client lists the products where status is "<status>"
      Then the list is <products>

      Examples:
        | status        | products      |
        | draft         | RUG-1         |
        | archived      | SOFA-1        |
        | draft, active | LAMP-1, RUG-1 |

    Scenario: Whoever knows an id can open the product
      Then there is a product RUG-1
      And RUG-1 has the status "draft"

  Rule: A product moves on through its life

    Scenario Outline: Steps that are allowed
      When the merchant sets the status of <product> to "<status>"
      Then it is accepted
      And <product> has the status "<status>"

      Examples:
        | product | status   |
        | RUG-1   | active   |
        | RUG-1   | archived |
        | LAMP-1  | draft    |
        | LAMP-1  | archived |
        | SOFA-1  | active   |

    Scenario: What was public does not become a draft behind the shoppers' back
      When the merchant sets the status of SOFA-1 to "draft"
      Then it is refused because a product cannot go from one status to that other
      And SOFA-1 has the status "archived"

    Scenario: A draft that becomes active is browsed at once
      When the merchant sets the status of RUG-1 to "active"
      And a shopper browses the catalog
      Then the list is LAMP-1, RUG-1

    Scenario: A status that nobody knows is refused
      When the merchant sets the status of RUG-1 to "published"
      Then it is refused because "status" is not one of the choices
