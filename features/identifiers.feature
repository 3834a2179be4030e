Feature: Identifiers
  Other systems know a product by its id, its SKU or its GTIN.
  An identifier names one product, and it is text even when it looks like a number.

  Rule: An id names one product for ever

    Scenario: The merchant may choose the id
      When the merchant adds a product with the id "lamp.walnut_2026~A:1-b"
      Then the product is created
      And there is a product lamp.walnut_2026~A:1-b

    Scenario: Ids that differ in case are different ids
      Given a product LAMP-1
      When the merchant adds a product with the id "lamp-1"
      Then the product is created

    Scenario: An id is given once
      Given a product LAMP-1
      When the merchant adds a product with the id "LAMP-1"
      Then it is refused because the id is taken

    Scenario: An id cannot be changed
      Given a product LAMP-1
      When the merchant sets the id of LAMP-1 to "LAMP-2"
      Then it is refused because "id" never changes

    Scenario Outline: Ids that cannot stand in an address are refused
      When the merchant adds a product with the id "<id>"
      Then it is refused because "id" is not a valid id

      Examples:
        | id        |
        | desk lamp |
        | lamp/1    |
        | lämpchen  |
        | lamp?1    |
        | ..        |

    Scenario: An id has at most 128 characters
      When the merchant adds a product with an id of 129 characters
      Then it is refused because "id" is not a valid id

  Rule: A SKU belongs to one product

    Background:
      Given these products
        | id     | sku         |
        | LAMP-1 | LAMP-WAL-01 |
        | RUG-1  | 00451       |

    Scenario: A SKU that is in use is refused
      When the merchant sets the sku of RUG-1 to "LAMP-WAL-01"
      Then it is refused because the SKU is taken
      And RUG-1 has the sku "00451"

    Scenario: A SKU is free again when its product lets go of it
      When the merchant sets the sku of LAMP-1 to "LAMP-OAK-01"
      And the merchant sets the sku of RUG-1 to "LAMP-WAL-01"
      Then it is accepted

    Scenario: A product is found by its SKU
      When a client lists the products where sku is "00451"
      Then the list is RUG-1

    Scenario: Leading zeros are part of a SKU
      When a client lists the products where sku is "451"
      Then the list is empty

  Rule: A GTIN has a right check digit

    Scenario Outline: A real <kind> is kept as it is written
      When the merchant adds a product with the gtin "<gtin>"
      Then the product is created

      Examples:
        | gtin           | kind    |
        | 96385074       | GTIN-8  |
        | 036000291452   | GTIN-12 |
        | 4006381333931  | GTIN-13 |
        | 10012345678902 | GTIN-14 |

    Scenario Outline: A GTIN that cannot be right is refused: <what is wrong>
      When the merchant adds a product with the gtin "<gtin>"
      Then it is refused because "gtin" is not a valid GTIN

      Examples:
        | gtin          | what is wrong        |
        | 4006381333930 | the check digit      |
        | 40063813339   | the number of digits |
        | 400638133393X | a letter             |
        | 4.00638E+12   | a spreadsheet did it |
