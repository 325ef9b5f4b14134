const express = require("express");
const app = express();
const port = process.env.PORT || 3000;
app.get("/", (request, response) => response.send("hello from node"));
app.get("/health", (request, response) => response.send("ok"));
app.listen(port, () => console.log(`listening on ${port}`));
