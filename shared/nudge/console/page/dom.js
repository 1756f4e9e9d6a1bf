// Elements from names, attributes and children. Text is always text: nothing here ever reads HTML, so no name of a plan, a
// file or a person can become markup.

const SVG = "http://www.w3.org/2000/svg";

function put(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value); // through the CSSOM: the page's policy knows no inline style
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export const h = (name, attributes, ...children) => put(document.createElement(name), attributes, children);
export const s = (name, attributes, ...children) => put(document.createElementNS(SVG, name), attributes, children);

// Unique ids for labels that point to each other.
let given = 0;
export const uid = (name) => `${name}-${++given}`;
