"""Reads a safetensors file by the format's description alone, with Python's standard library, and prints what is in it.

    8 bytes, little-endian: length of the header; the header: JSON; then all tensors' bytes without gaps.
"""

import hashlib
import json
import struct
import sys

ELEMENT_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

with open(sys.argv[1], "rb") as file:
    content = file.read()
(length,) = struct.unpack("<Q", content[:8])
header = json.loads(content[8 : 8 + length].decode("utf-8"))
data = content[8 + length :]
metadata = header.pop("__metadata__", {})
assert all(isinstance(value, str) for value in metadata.values())

tensors = {}
end = 0
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, position = entry["data_offsets"]
    count = 1
    for size in entry["shape"]:
        count *= size
    assert begin == end and position - begin == count * ELEMENT_BYTES[entry["dtype"]], name
    end = position
    part = data[begin:end]
    tensors[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "sha256": hashlib.sha256(part).hexdigest()}
assert end == len(data)
print(json.dumps({"tensors": tensors, "metadata": metadata}))
