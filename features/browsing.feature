Feature: Browsing
  Clients read long lists page by page, while merchants go on working.
  Whoever follows the pages to the end has seen everything, and nothing twice.

  Rule: Pages join without a gap and without an overlap

    Scenario Outline: Reading to the end
      Given <count> products
      When a client reads all pages of <limit>
      Then the client has got each product once
      And there were <pages> pages

      Examples:
        | count | limit | pages |
        | 0     | 10    | 1     |
        | 9     | 10    | 1     |
        | 10    | 10    | 1     |
        | 11    | 10    | 2     |
        | 45    | 20    | 3     |

    Scenario: Pages hold twenty products unless the client says otherwise
      Given 21 products
      When a client lists the products
      Then the list has 20 products
      And the list says that 21 products match

    Scenario: Others write while a client reads
      Given 30 products
      When a client reads all pages of 7 while the merchant adds, changes and removes other products
      Then the client has got each product that stayed once

    Scenario Outline: Reading to the end in another order
      Given 12 products of which many cost the same
      When a client reads all pages of 5 sorted by "<sort>"
      Then the client has got each product once
      And they came in the order of "<sort>"

      Examples:
        | sort        |
        | price       |
        | -price      |
        | title       |
        | -title      |
        | -created_at |
        | -updated_at |

    Scenario: The way to the next page is also in the answer's links
      Given 3 products
      When a client lists the products with a limit of 2
      Then the link to the next page leads to the rest

    Scenario: A cursor belongs to its list
      Given 3 products
      When a client takes the cursor of one list to another
      Then it is refused because the cursor is of no use here

    Scenario: A damaged cursor
      Given 3 products
      When a client sends a damaged cursor
      Then it is refused because the cursor is of no use here

    Scenario Outline: A page has a sensible size
      When a client lists the products with a limit of <limit>
      Then it is refused because the parameter "limit" is wrong

      Examples:
        | limit |
        | 0     |
        | -1    |
        | 201   |
        | ten   |

  Rule: A client gets only what it asks for

    Background:
      Given these products
        | id     | title | price      | brand |
        | LAMP-1 | Lamp  | 129.90 EUR | Lumen |
        | RUG-1  | Rug   | 89.00 EUR  | Knot  |
        | SOFA-1 | Sofa  | 899.00 EUR | Plush |

    Scenario: Some fields of each product
      When a client lists the products with only "id, price"
      Then each product in the list has only "id, price"

    Scenario: Some fields of one product
      When a client reads LAMP-1 with only "title, brand"
      Then the product says only
        | field | value |
        | title | Lamp  |
        | brand | Lumen |

    Scenario: A field that does not exist
      When a client reads LAMP-1 with only "title, colour"
      Then it is refused because the parameter "fields" is wrong

    Scenario: Many products at once, in the order asked for
      When a client asks for the products "SOFA-1, CHAIR-9, LAMP-1"
      Then the list is SOFA-1, LAMP-1
      And the list says that CHAIR-9 is missing

    Scenario: At most 200 products at once
      When a client asks for 201 products at once
      Then it is refused because the parameter "ids" is wrong

  Rule: A list shows what was written before it was asked for

    Scenario: Reading one's own writes
      When the merchant adds 20 products and after each lists its SKU
      Then each list had that one product
