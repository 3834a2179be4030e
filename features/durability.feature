Feature: Nothing acknowledged is lost
  When the catalog has said that a change is saved, it is saved:
  after a restart, after a crash, and in the merchant's file.

  Background:
    Given the file products.csv
      """
      id,title,price
      LAMP-1,Desk lamp,129.90 EUR
      RUG-1,Wool rug,89.00 EUR
      """
    And it is served

  Scenario: A restart keeps everything
    Given the merchant has added, changed and removed products
    When the service is restarted
    Then every product is as it was before, to the byte

  Scenario: A crash keeps everything that was acknowledged
    Given the merchant has added, changed and removed products
    When the service crashes and is started again
    Then every product is as it was before, to the byte

  Scenario: What a crash interrupted reaches the file at the next stop
    When the merchant sets the price of LAMP-1 to 99.00 EUR
    And the service crashes and is started again
    And the service stops
    Then the file is
      """
      id,title,price
      LAMP-1,Desk lamp,99.00 EUR
      RUG-1,Wool rug,89.00 EUR
      """

  Scenario: A crash among many writers
    When the service crashes while 4 programs add products
    And the service is started again
    Then every product that was acknowledged is there
    And none is half there

  Scenario: Categories survive, too
    Given these categories
      | id       | name     | parent |
      | home     | Home     |        |
      | lighting | Lighting | home   |
    When the service crashes and is started again
    Then the category lighting lies at "Home > Lighting"

  Scenario: A retry after a crash adds nothing twice
    Given the program has added "Oak shelf" with the key K1
    When the service crashes and is started again
    And the program adds "Oak shelf" with the key K1
    Then the answer is the first one again
    And the catalog has 3 products
