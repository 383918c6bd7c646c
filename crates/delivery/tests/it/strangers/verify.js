// Checks requests as a receiver in JavaScript would, with `standardwebhooks`.
//
// Reads a list of {headers, body, secret} from standard input, and prints a list of payloads, or of
// the names of what is wrong.

const { readFileSync } = require("node:fs");
const { Webhook } = require("standardwebhooks");

const check = ({ headers, body, secret }) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (wrong) {
    return wrong.name;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(check)));
