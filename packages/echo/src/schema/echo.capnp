@0xd0c3a6f1b27e9584;
# The message of echo.proto for Cap'n Proto.

# Elements are initialized in place as fields of a struct; a List(Data) would need a copy of each.
struct Value {
  data @0 :Data;
}

struct Echo {
  val @0 :Data;
  vals @1 :List(Value);
  left @2 :Echo;
  right @3 :Echo;
}
