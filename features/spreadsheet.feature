Feature: The spreadsheet
  A merchant keeps the product file open in a spreadsheet while the catalog is served.
  What is saved there is served at once, and neither side overwrites the other.

  Background:
    Given the file products.csv
      """
      id,sku,title,price,quantity,size
      LAMP-1,0012,Desk lamp,129.90 EUR,12,10-12
      LAMP-2,0013,Floor lamp,249.00 EUR,3,
      RUG-1,0014,Wool rug,89.00 EUR,5,
      RUG-2,0015,Silk rug,890.00 EUR,1,
      BIN-1,0016,Bin,9.00 EUR,40,
      BIN-2,0017,Big bin,19.00 EUR,20,
      """
    And it is served

  Rule: What is saved is served

    Scenario: An edited cell
      When someone changes "Floor lamp" to "Tall lamp" in the file
      Then LAMP-2 soon has the title "Tall lamp"
      And the past of LAMP-2 says that the file was edited

    Scenario: A new row, and one that is gone
      When someone changes "RUG-2,0015,Silk rug,890.00 EUR,1," to "RUG-3,0018,Jute rug,49.00 EUR,7," in the file
      Then there is soon a product RUG-3
      And there is no product RUG-2

    Scenario: Sorted rows change nothing
      When someone sorts the rows of the file backwards
      And someone changes "Wool rug" to "Woollen rug" in the file
      Then RUG-1 soon has the title "Woollen rug"
      And LAMP-1 has version 1

  Rule: Neither side overwrites the other

    Scenario: Each changes something else in one row
      When the merchant sets the quantity of LAMP-2 to 2
      And someone changes "Floor lamp" to "Tall lamp" in the file
      Then the file soon has the line "LAMP-2,0013,Tall lamp,249.00 EUR,2,"
      And LAMP-2 has the title "Tall lamp"
      And LAMP-2 has the quantity 2

    Scenario: The spreadsheet was opened before the last sales
      Given someone has opened the file
      When the merchant sets the quantity of LAMP-1 to 11
      And the merchant sets the quantity of RUG-1 to 4
      And the file soon has the line "RUG-1,0014,Wool rug,89.00 EUR,4,"
      And they change "Floor lamp" to "Tall lamp" in what they have opened, and save it
      Then LAMP-2 soon has the title "Tall lamp"
      And LAMP-1 has the quantity 11
      And the file soon has the line "RUG-1,0014,Wool rug,89.00 EUR,4,"

    Scenario: Both change the same value
      Given the catalog writes to the file late
      When the merchant sets the title of LAMP-2 to "Lamp of the shop"
      And someone changes "Floor lamp" to "Lamp of the file" in the file
      Then soon a conflict is listed
        | product | field | in the file      | kept             |
        | LAMP-2  | title | Lamp of the file | Lamp of the shop |
      And LAMP-2 has the title "Lamp of the shop"
      And the list of conflicts beside the file names LAMP-2

  Rule: A slip does not cost a catalog

    Scenario: A file that cannot be read
      When someone saves the file without its first line
      Then the catalog soon says that the file is broken, at line 1
      And there is a product LAMP-1
      And the merchant sets the quantity of LAMP-1 to 11
      And the file stays as they saved it

    Scenario: Most rows are gone
      When someone saves only the first 2 lines of the file
      Then the catalog soon says that 5 of 6 products would be deleted
      And there is a product BIN-2

    Scenario: Most rows are gone, and that is meant
      When someone saves only the first 2 lines of the file
      And the catalog soon says that 5 of 6 products would be deleted
      And the merchant accepts it
      Then the catalog has 1 product

    Scenario: Nothing is there to accept
      When the merchant accepts the file
      Then it is refused because no edit of the file waits

  Rule: What a spreadsheet does to cells is put right where that is certain

    Scenario Outline: A cell that the spreadsheet took for something else
      When someone saves the file with "<before>" as "<after>", and "Desk lamp" as "Walnut lamp"
      Then LAMP-1 soon has the title "Walnut lamp"
      And LAMP-1 has the sku "0012"
      And the size of LAMP-1 is "10-12"
      And the file soon has the line "LAMP-1,0012,Walnut lamp,129.90 EUR,12,10-12"

      Examples:
        | before | after      |
        | 0012   | 12         |
        | 10-12  | 12-Oct     |
        | 10-12  | 2026-10-12 |
