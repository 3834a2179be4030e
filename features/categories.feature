Feature: Categories
  A merchant files products under categories, which form a tree.
  A category stands for everything below it.

  Background:
    Given these categories
      | id         | name       | parent   |
      | home       | Home       |          |
      | lighting   | Lighting   | home     |
      | desk-lamps | Desk lamps | lighting |
      | rugs       | Rugs       | home     |
      | garden     | Garden     |          |
    And these products
      | id     | category_id |
      | LAMP-1 | desk-lamps  |
      | LAMP-2 | lighting    |
      | RUG-1  | rugs        |
      | HOSE-1 | garden      |

  Rule: Categories form a tree

    Scenario: A category knows where it lies and how much it holds
      Then the category desk-lamps lies at "Home > Lighting > Desk lamps"
      And the category home counts 3 products
      And the category lighting counts 2 products

    Scenario: Only what shoppers can browse is counted
      When the merchant sets the status of LAMP-1 to "draft"
      Then the category lighting counts 1 product

    Scenario: The whole tree at a glance
      When a client asks for the tree of categories
      Then the tree is
        | level | id         |
        | 1     | garden     |
        | 1     | home       |
        | 2     | lighting   |
        | 3     | desk-lamps |
        | 2     | rugs       |

    Scenario: A category can be renamed
      When the merchant renames the category lighting to "Lamps"
      Then the category desk-lamps lies at "Home > Lamps > Desk lamps"

    Scenario: A category below one that does not exist is refused
      When the merchant puts the category vases below kitchen
      Then it is refused because "parent_id" names no category

  Rule: Browsing a category finds all that lies below it

    Scenario Outline: Products of a subtree
      When a client lists the products where category is "<category>"
      Then the list is <products>

      Examples:
        | category     | products              |
        | home         | LAMP-1, LAMP-2, RUG-1 |
        | lighting     | LAMP-1, LAMP-2        |
        | desk-lamps   | LAMP-1                |
        | rugs, garden | HOSE-1, RUG-1         |

    Scenario: A product needs a category that exists
      When the merchant sets the category_id of RUG-1 to "carpets"
      Then it is refused because "category_id" names no category

  Rule: Moving a category moves all that lies below it

    Scenario: Lighting moves to the garden
      When the merchant moves the category lighting below garden
      Then it is accepted
      And the category desk-lamps lies at "Garden > Lighting > Desk lamps"
      And the category home counts 1 product
      And the category garden counts 3 products

    Scenario: A category becomes a root
      When the merchant makes the category lighting a root
      Then the category desk-lamps lies at "Lighting > Desk lamps"

    Scenario Outline: A category cannot lie below itself
      When the merchant moves the category home below <place>
      Then it is refused because a category cannot lie below itself
      And the category desk-lamps lies at "Home > Lighting > Desk lamps"

      Examples:
        | place      |
        | home       |
        | lighting   |
        | desk-lamps |

  Rule: What is in use stays

    Scenario: A category with products cannot be deleted
      When the merchant deletes the category desk-lamps
      Then it is refused because the category is in use

    Scenario: A category with subcategories cannot be deleted
      Given the merchant has removed LAMP-2
      When the merchant deletes the category lighting
      Then it is refused because the category is in use

    Scenario: An empty category can be deleted
      Given the merchant has removed LAMP-1
      When the merchant deletes the category desk-lamps
      Then it is accepted
      And there is no category desk-lamps
