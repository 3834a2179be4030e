Feature: Stock and availability
  Shoppers want to know whether they can have a product; merchants count pieces.
  Unless the merchant says otherwise, the count decides what shoppers are told.

  Rule: The count decides

    Scenario Outline: What shoppers are told
      When the merchant adds a product
        | field    | value      |
        | id       | LAMP-1     |
        | title    | Lamp       |
        | quantity | <quantity> |
      Then LAMP-1 has the availability "<availability>"

      Examples:
        | quantity | availability |
        | 12       | in_stock     |
        | 1        | in_stock     |
        | 0        | out_of_stock |
        | nothing  | in_stock     |

    Scenario: The last piece is sold
      Given a product LAMP-1
        | field    | value |
        | quantity | 1     |
      When the merchant sets the quantity of LAMP-1 to 0
      Then LAMP-1 has the availability "out_of_stock"

    Scenario Outline: A count is a whole number that is not negative
      Given a product LAMP-1
      When the merchant sets the quantity of LAMP-1 to <quantity>
      Then it is refused because "quantity" <reason>

      Examples:
        | quantity | reason               |
        | -1       | is out of range      |
        | 1.5      | is of the wrong type |
        | "12"     | is of the wrong type |
        | true     | is of the wrong type |

  Rule: The merchant's word counts more

    Scenario: A product can be ordered before it is there
      When the merchant adds a product
        | field        | value    |
        | id           | LAMP-1   |
        | title        | Lamp     |
        | quantity     | 0        |
        | availability | preorder |
      Then LAMP-1 has the availability "preorder"

    Scenario: The merchant's word stays when the count changes
      Given a product LAMP-1
        | field        | value     |
        | quantity     | 0         |
        | availability | backorder |
      When the merchant sets the quantity of LAMP-1 to 3
      Then LAMP-1 has the availability "backorder"

    Scenario: The merchant takes the word back
      Given a product LAMP-1
        | field        | value     |
        | quantity     | 0         |
        | availability | backorder |
      When the merchant clears the availability of LAMP-1
      Then LAMP-1 has the availability "out_of_stock"

    Scenario: Shoppers ask for what they can have
      Given these products
        | id     | quantity | availability |
        | LAMP-1 | 4        |              |
        | RUG-1  | 0        |              |
        | SOFA-1 | 0        | preorder     |
      When a client lists the products where availability is "in_stock, preorder"
      Then the list is LAMP-1, SOFA-1
