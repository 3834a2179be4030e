Feature: Copies and damage
  A merchant can take a copy of the catalog at any time and go back to it.
  When a disk has damaged the catalog, what is whole is saved and what is lost is said.

  Background:
    Given the file products.csv
      """
      id,title,price
      LAMP-1,Desk lamp,129.90 EUR
      RUG-1,Wool rug,89.00 EUR
      """
    And it is served

  Rule: A copy is the catalog of one moment

    Scenario Outline: Going back to a copy
      Given the merchant sets the price of LAMP-1 to 99.00 EUR
      And a copy is made as a <kind>
      And the merchant removes RUG-1
      When a catalog is made of the copy and served
      Then every product is as it was when the copy was made, to the byte
      And the past of LAMP-1 has 2 versions

      Examples:
        | kind    |
        | folder  |
        | archive |

    Scenario: Nobody stops for a copy
      When a copy is made as a folder while 4 programs add products
      And a catalog is made of the copy and served
      Then every product that was acknowledged before is there
      And none is half there

    Scenario: A copy takes the place of nothing
      Given a copy is made as a folder
      When a copy is made there again
      Then the command fails and speaks of "exists"

    Scenario: A catalog that exists is not overwritten by a copy
      Given a copy is made as a folder
      When the copy is to take the place of the catalog
      Then the command fails and speaks of "not empty"

    Scenario: A copy that was damaged is not used
      Given a copy is made as a folder
      And a byte of the copy is changed
      When a catalog is made of the copy
      Then the command fails and speaks of "damaged"

  Rule: Damage is found, and what is whole is saved

    Scenario: A whole catalog
      When the operator checks the catalog
      Then the command succeeds and speaks of "All is whole: 2 products"

    Scenario: Damage stops the start, and the repair that it names helps
      Given the merchant sets the price of LAMP-1 to 99.00 EUR
      And the merchant sets the price of RUG-1 to 79.00 EUR
      And the merchant sets the price of LAMP-1 to 95.00 EUR
      And the service crashes and its disk damages the change of RUG-1
      When the operator serves the catalog
      Then the command fails and speaks of "vitrina repair"
      When the operator repairs the catalog
      Then the command succeeds and speaks of "The damaged bytes speak of: RUG-1"
      When the operator checks the catalog
      Then the command succeeds and speaks of "All is whole"
      When the service is started again
      Then LAMP-1 has the price 95.00 EUR
      And RUG-1 has the price 89.00 EUR
