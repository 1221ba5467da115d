/** Makes one node like another, and touches only what differs: focus, selection and what is open stay. */
export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) return old.data === fresh.data || (old.data = fresh.data);
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const have = [...old.childNodes], want = [...fresh.childNodes];
  want.forEach((node, place) => (place < have.length ? morph(have[place], node) : old.append(node)));
  have.slice(want.length).forEach((node) => node.remove());
}
