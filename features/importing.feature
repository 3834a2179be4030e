Feature: Importing files
  Suppliers send files. A command brings them into the catalog, in pieces that are
  whole or not there at all, while the catalog goes on being served.

  Background:
    Given the catalog is to be served by 2 workers
    And the file products.csv
      """
      id,sku,title,price,quantity
      LAMP-1,L-1,Desk lamp,129.90 EUR,12
      RUG-1,R-1,Wool rug,89.00 EUR,5
      """

  Scenario: Products are made and changed
    Given it is served
    When somebody imports
      """
      SKU;Name;Price (EUR);Qty
      L-1;Desk lamp;119,90;10
      S-1;Sofa;999,00;2
      """
    Then the command says "1 created, 1 updated, 0 unchanged, 0 deleted, 0 rejected"
    And all visitors see LAMP-1 at 119.90 EUR
    And all visitors see S-1 at 999.00 EUR
    And all visitors see RUG-1 at 89.00 EUR
    And the past of LAMP-1 says that an import changed it

  Scenario: Wrong rows are told with their place, and the others are imported
    Given it is served
    When somebody imports
      """
      id,title,price
      S-1,Sofa,999.00 EUR
      S-2,Stool,cheap
      """
    Then the command fails
    And the command says "line 3, column 3 (price): 'cheap'"
    And the command says "1 created, 0 updated, 0 unchanged, 0 deleted, 1 rejected"
    And all visitors see S-1 at 999.00 EUR

  Scenario: First ask what would happen
    Given it is served
    When somebody asks what would happen, importing
      """
      id,title,price
      LAMP-1,Desk lamp,99.00 EUR
      S-1,Sofa,999.00 EUR
      """
    Then the command says "Would be: 1 created, 1 updated"
    And all visitors see LAMP-1 at 129.90 EUR
    And the catalog has 2 products

  Scenario: Nobody serves the catalog
    When somebody imports
      """
      id,title,price
      S-1,Sofa,999.00 EUR
      """
    Then the command says "1 created"
    And the file is
      """
      id,sku,title,price,quantity
      LAMP-1,L-1,Desk lamp,129.90 EUR,12
      RUG-1,R-1,Wool rug,89.00 EUR,5
      S-1,,Sofa,999.00 EUR,
      """
