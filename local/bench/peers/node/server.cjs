// A model behind Node's http server: node server.cjs PORT MODEL
const http = require("node:http");
const ort = require("onnxruntime-node");

const [port, file] = process.argv.slice(2);

// flatten gives the numbers of nested arrays and their shape.
function flatten(value, shape, depth, into) {
  if (!Array.isArray(value)) return into.push(value);
  shape[depth] = value.length;
  for (const v of value) flatten(v, shape, depth + 1, into);
}

// nest is the opposite.
function nest(data, shape) {
  if (shape.length < 2) return data;
  const rows = [], width = data.length / shape[0];
  for (let i = 0; i < shape[0]; i++) rows.push(nest(data.slice(i * width, (i + 1) * width), shape.slice(1)));
  return rows;
}

async function main() {
  const session = await ort.InferenceSession.create(file);
  const input = session.inputMetadata[0];
  const score = async (body) => {
    const shape = [], numbers = [];
    flatten(JSON.parse(body).data, shape, 0, numbers);
    const data = input.type === "int64" ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers);
    const output = (await session.run({ [input.name]: new ort.Tensor(input.type, data, shape) }))[session.outputNames[0]];
    return JSON.stringify(nest(Array.from(output.data, Number), output.dims));
  };
  http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => score(Buffer.concat(chunks)).then(
      (answer) => response.writeHead(200, { "Content-Type": "application/json" }).end(answer),
      (error) => response.writeHead(500).end(String(error)),
    ));
  }).listen(Number(port), "127.0.0.1");
}

main();
