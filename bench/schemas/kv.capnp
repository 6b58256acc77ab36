@0xb36f1a5de9c07421;
# The messages of the serialization benchmarks (see kv.proto) for Cap'n Proto.

struct GetRequest {
  id @0 :UInt32;
  key @1 :Data;
  segment @2 :UInt32;
}

# Elements are initialized in place as fields of a struct; a List(Data) would need a copy of each.
struct Value {
  data @0 :Data;
}

struct GetReply {
  id @0 :UInt32;
  vals @1 :List(Value);
}

struct PutRequest {
  id @0 :UInt32;
  key @1 :Data;
  val @2 :Data;
}

struct PutReply {
  id @0 :UInt32;
}
