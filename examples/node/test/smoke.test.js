const test = require("node:test");
test("it adds", () => {});
