Feature: The product file
  A merchant's products live in a file that people edit in a spreadsheet.
  The catalog serves it as it is and leaves everything that nobody changed exactly as it was.

  Rule: The file stays the merchant's own

    Scenario Outline: Serving a file changes no byte of it
      Given the file products.csv with <form>
      When the catalog is served and stopped
      Then the file is the same, byte for byte

      Examples:
        | form                                          |
        | commas and Unix line ends                     |
        | semicolons and Windows line ends              |
        | tabs, Windows line ends and a byte order mark |
        | quotes around every cell                      |
        | UTF-16, as some spreadsheets write it         |
        | no line end after the last line               |

    Scenario: One changed product changes one line
      Given the file products.csv
        """
        id;name;price;stock;"Remark, internal"
        LAMP-1;"Desk lamp; walnut";129.90 EUR;12;"says ""new\"\"\"
        LAMP-2;Floor lamp;249.00 EUR;3;
        RUG-1;Wool rug;89.00 EUR;5;"two
        lines"
        """
      And it is served
      When the merchant sets the quantity of LAMP-2 to 2
      And the service stops
      Then in the file this line has changed, and no other
        """
        LAMP-2;Floor lamp;249.00 EUR;2;
        """

    Scenario: A new product is a new line at the end
      Given the file products.csv
        """
        id,title,price,color
        LAMP-1,Desk lamp,129.90 EUR,brown
        """
      And it is served
      When the merchant adds a product
        | field            | value     |
        | id               | RUG-1     |
        | title            | Wool rug  |
        | price            | 89.00 EUR |
        | attributes.color | red       |
      And the service stops
      Then the file has kept its lines and ends with
        """
        RUG-1,Wool rug,89.00 EUR,red
        """

    Scenario: The line of a removed product is gone
      Given the file products.csv
        """
        id,title,price
        LAMP-1,Desk lamp,129.90 EUR
        LAMP-2,"Floor lamp",249.00 EUR
        RUG-1,Wool rug,89.00 EUR
        """
      And it is served
      When the merchant removes LAMP-2
      And the service stops
      Then the file is
        """
        id,title,price
        LAMP-1,Desk lamp,129.90 EUR
        RUG-1,Wool rug,89.00 EUR
        """

    Scenario: The file follows while the service runs
      Given the file products.csv
        """
        id,title,quantity
        LAMP-1,Desk lamp,12
        """
      And it is served
      When the merchant sets the quantity of LAMP-1 to 11
      Then the file soon has the line "LAMP-1,Desk lamp,11"

  Rule: Everyday column names are understood

    Scenario: Columns by other names
      Given the file products.csv
        """
        item number,Product Name,Vendor,Stock,Barcode,Compare-at price,price
        LAMP-WAL-01,Desk lamp,Lumen,12,4006381333931,159.00 EUR,129.90 EUR
        """
      When it is served
      Then the product called "Desk lamp" says
        | field      | value         |
        | sku        | LAMP-WAL-01   |
        | brand      | Lumen         |
        | quantity   | 12            |
        | gtin       | 4006381333931 |
        | list_price | 159.00 EUR    |
        | price      | 129.90 EUR    |

    Scenario: Columns that no field is called become attributes
      Given the file products.csv
        """
        id,title,color,attr.bulb,attributes.material
        LAMP-1,Desk lamp,brown,E27,walnut
        """
      When it is served
      Then LAMP-1 has the attributes
        | name     | value  |
        | color    | brown  |
        | bulb     | E27    |
        | material | walnut |

    Scenario: Several values in one cell
      Given the file products.csv
        """
        id,title,tags
        LAMP-1,Desk lamp,desk|gift
        """
      When it is served
      Then LAMP-1 has the tags "desk, gift"

    Scenario: Identifiers are never read as numbers
      Given the file products.csv
        """
        id,sku,title,mpn
        007,00451,Desk lamp,1e5
        """
      When it is served
      Then 007 has the sku "00451"
      And 007 has the mpn "1e5"

    Scenario: A bare price is in the catalog's currency
      Given the file products.csv
        """
        id,title,price
        LAMP-1,Desk lamp,129.90
        LAMP-2,Floor lamp,249.00 EUR
        """
      And the catalog's currency is BRL
      When it is served
      Then shoppers see LAMP-1 at 129.90 BRL
      And shoppers see LAMP-2 at 249.00 EUR

    Scenario: The service says what it understood
      Given the file products.csv
        """
        name,sku,price,stock,color
        Desk lamp,LAMP-1,129.90 EUR,12,brown
        """
      When it is served
      Then the service has said
        | words    |
        | title    |
        | quantity |
        | color    |

  Rule: Products without an id get one that stays

    Scenario: The same ids at every start
      Given the file products.csv
        """
        name,sku,price
        Desk lamp,LAMP-1,129.90 EUR
        Floor lamp,,249.00 EUR
        Floor lamp,,249.00 EUR
        """
      And it is served
      When the service is restarted
      Then the products have the same ids as before
      And the file is the same, byte for byte

  Rule: A row that cannot be a product is reported, and the others are served

    Scenario: Rows with mistakes
      Given the file products.csv
        """
        id,title,price,quantity
        LAMP-1,Desk lamp,129.90 EUR,12
        LAMP-2,Floor lamp,cheap,3
        RUG-1,Wool rug,89.00 EUR,some
        """
      When it is served
      Then there is a product LAMP-1
      And there is no product LAMP-2
      And there is no product RUG-1
      And the service has reported
        | line | column   | value |
        | 3    | price    | cheap |
        | 4    | quantity | some  |

    Scenario: A row with a mistake stays in the file
      Given the file products.csv
        """
        id,title,price
        LAMP-1,Desk lamp,129.90 EUR
        LAMP-2,Floor lamp,cheap
        """
      And it is served
      When the merchant sets the price of LAMP-1 to 99.00 EUR
      And the service stops
      Then the file is
        """
        id,title,price
        LAMP-1,Desk lamp,99.00 EUR
        LAMP-2,Floor lamp,cheap
        """

    Scenario: Two rows with one id
      Given the file products.csv
        """
        id,title
        LAMP-1,Desk lamp
        LAMP-1,Floor lamp
        """
      When it is served
      Then LAMP-1 has the title "Desk lamp"
      And the service has reported
        | line | column | value  |
        | 3    | id     | LAMP-1 |

    Scenario: A row with too many cells
      Given the file products.csv
        """
        id,title
        LAMP-1,Desk lamp
        LAMP-2,Floor lamp,249.00 EUR
        """
      When it is served
      Then there is a product LAMP-1
      And there is no product LAMP-2

  Rule: JSON is as good as CSV

    Scenario: JSON Lines
      Given the file products.jsonl
        """
        {"id": "LAMP-1", "title": "Desk lamp", "price": {"amount": "129.90", "currency": "EUR"}}
        {"title": "Wool rug",  "id": "RUG-1"}
        """
      And it is served
      When the merchant sets the title of LAMP-1 to "Walnut desk lamp"
      And the service stops
      Then the file still has the line
        """
        {"title": "Wool rug",  "id": "RUG-1"}
        """

    Scenario: A JSON list
      Given the file products.json
        """
        [
          {"id": "LAMP-1", "title": "Desk lamp"},
          {"id": "RUG-1", "title": "Wool rug"}
        ]
        """
      When the catalog is served and stopped
      Then the file is the same, byte for byte
