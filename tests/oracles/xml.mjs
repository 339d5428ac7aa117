// Just enough XML to judge TwiML: elements, attributes, text, references. Strict: what is not well-formed throws.

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const NAME = /[A-Za-z_][\w.-]*/y;
// XML 1.0, production 2.
const CHARS = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

/** The root element of a document, as `{name, attributes, children}`; children are elements and strings. */
export function parse(source) {
  if (!CHARS.test(source)) throw new Error("a character that XML 1.0 cannot hold");
  let at = 0;
  const fail = (what) => {
    throw new Error(`${what} at ${at}: ${JSON.stringify(source.slice(at, at + 40))}`);
  };
  const take = (text) => {
    if (!source.startsWith(text, at)) fail(`expected ${text}`);
    at += text.length;
  };
  const name = () => {
    NAME.lastIndex = at;
    const found = NAME.exec(source)?.[0] ?? fail("expected a name");
    at += found.length;
    return found;
  };
  const blanks = () => {
    const start = at;
    while (" \t\n\r".includes(source[at] ?? "-")) at += 1;
    return at > start;
  };
  const text = (end) => {
    const start = at;
    while (at < source.length && source[at] !== end && source[at] !== "<") at += 1;
    return source.slice(start, at);
  };
  const decode = (raw) =>
    raw.replace(/&([^;]*);|&/g, (_, reference) => {
      if (reference?.startsWith("#x")) return String.fromCodePoint(parseInt(reference.slice(2), 16));
      if (reference?.startsWith("#")) return String.fromCodePoint(parseInt(reference.slice(1), 10));
      return ENTITIES[reference] ?? fail(`unknown reference &${reference ?? ""}`);
    });
  const element = () => {
    take("<");
    const node = { name: name(), attributes: {}, children: [] };
    while (blanks() && !"/>".includes(source[at])) {
      const key = name();
      if (key in node.attributes) fail(`attribute ${key} twice`);
      take('="');
      // Literal white space in an attribute is a blank (XML 1.0, 3.3.3).
      node.attributes[key] = decode(text('"').replace(/[\t\n\r]/g, " "));
      take('"');
    }
    if (source.startsWith("/>", at)) {
      at += 2;
      return node;
    }
    take(">");
    while (!source.startsWith("</", at)) {
      if (source[at] === "<") node.children.push(element());
      else if (at < source.length) node.children.push(decode(text("<").replace(/\r\n?/g, "\n")));
      else fail("unexpected end");
    }
    take(`</${node.name}>`);
    return node;
  };
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
  if (source.startsWith("<?")) take(declaration);
  blanks();
  const root = element();
  blanks();
  if (at !== source.length) fail("something after the root element");
  return root;
}

/** One spelling for documents that mean the same. */
export function canonical(node) {
  if (typeof node === "string") return node;
  const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([node.name, attributes, node.children.filter((child) => child !== "").map(canonical)]);
}
