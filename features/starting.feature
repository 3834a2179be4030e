Feature: Starting a catalog
  A developer with a product file, or with nothing yet, has a catalog with one command,
  and is told what to do when that cannot be.

  Rule: From nothing

    Scenario Outline: A new catalog in the form the developer likes
      When the developer runs "vitrina init shop --format <format>"
      Then the command succeeds
      And there is a file shop/products.<format>
      And the catalog "shop" can be served and filled

      Examples:
        | format |
        | csv    |
        | json   |
        | jsonl  |

    Scenario: A catalog that exists is not overwritten
      Given the developer has run "vitrina init shop"
      When the developer runs "vitrina init shop"
      Then the command fails and speaks of "products.csv"

  Rule: From a file

    Scenario: One file is enough
      Given the example file with five columns
      When the developer serves it
      Then the catalog has 5 products
      And shoppers find the attribute color "walnut" on the SKU LAMP-WAL-01

    Scenario: The example shop
      Given a copy of the example shop
      When the developer serves it
      Then the catalog has 2465 products
      And the category accessories counts 228 products

  Rule: What cannot be served is explained

    Scenario Outline: A catalog that is none
      Given <situation>
      When the developer runs "vitrina serve shop"
      Then the command fails and speaks of "<words>"

      Examples:
        | situation                                     | words           |
        | an empty folder shop                          | vitrina init    |
        | no folder shop                                | shop            |
        | a folder shop with two product files          | products.csv    |
        | an empty file shop/products.csv               | products.csv    |
        | a file shop/products.csv without column names | names no column |
        | a file shop/products.csv saved as Latin-1     | UTF-8           |
        | a broken file shop/products.json              | line 3          |

    Scenario: One catalog is served once
      Given a copy of the example file with five columns is being served
      When somebody else serves the same catalog
      Then the command fails and speaks of "another process"
      And the first service still serves 5 products

  Rule: A file can be checked beforehand

    Scenario: A good file
      Given the example file with five columns
      When the developer checks it
      Then the command succeeds
      And nothing was written beside it

    Scenario: A file with mistakes
      Given a file with mistakes
        """
        id,title,price,gtin
        LAMP-1,Desk lamp,cheap,4006381333931
        LAMP-2,,99.00 EUR,4006381333930
        """
      When the developer checks it
      Then the command fails
      And the report names
        | line | column | value         |
        | 2    | price  | cheap         |
        | 3    | title  |               |
        | 3    | gtin   | 4006381333930 |
      And nothing was written beside it

    Scenario: A report for programs
      Given a file with mistakes
        """
        id,title,price
        LAMP-1,Desk lamp,cheap
        """
      When the developer checks it with a report in "json"
      Then the command fails
      And the report is JSON that names line 2

    Scenario: A report for code scanning
      Given a file with mistakes
        """
        id,title,price
        LAMP-1,Desk lamp,cheap
        """
      When the developer checks it with a report in "sarif"
      Then the command fails
      And the report is a SARIF log that names line 2

  Rule: The contract is at hand

    Scenario: The OpenAPI document without a catalog
      When the developer runs "vitrina openapi"
      Then the command succeeds
      And it printed an OpenAPI document with the path "/v1/products/{id}"
