// Uploads the visitor's files of responses in small pieces. The parsed upload becomes the side's model.
const PIECE = 256 * 1024; // bytes
const uploading = new Map(); // the newest choice of files of each side

async function upload(side, files) {
  const box = part(`[data-upload=${side}]`);
  const mine = Symbol(side);
  uploading.set(side, mine);
  const say = (text) => box.isConnected && uploading.get(side) === mine && box.replaceChildren(line(text));
  if (files.length > 2) return say("Choose the file of the responses, and at most one more with the prompts.");
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (!total) return say("The file is empty.");
  box.setAttribute("aria-busy", "true");
  let answer = {};
  let sent = 0;
  for (const [number, file] of files.entries()) {
    for (let at = 0; at < file.size || at === 0; at += PIECE) {
      say(`Uploading … ${Math.round((100 * sent) / total)} %`);
      const piece = file.slice(at, at + PIECE);
      sent += piece.size;
      const last = number === files.length - 1 && at + PIECE >= file.size;
      if (last) say("Reading …");
      const question = { key: answer.key ?? "", number, name: file.name, at, data: await base64(piece), last };
      answer = await ask({ about: "upload", columns: field(`columns_${side}`).value, ...question });
      if (uploading.get(side) !== mine || !box.isConnected) return;
      if (answer.problem !== undefined) {
        box.removeAttribute("aria-busy");
        return say(answer.problem);
      }
    }
  }
  box.removeAttribute("aria-busy");
  say(answer.told);
  field(`model_${side}`).value = answer.model;
  field(`revision_${side}`).value = "";
  settled(side);
}
// Removes messages about uploads after another model is named.
function forget() {
  uploading.clear();
  for (const box of element.querySelectorAll("[data-upload]")) box.replaceChildren();
}
function base64(piece) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => resolve("unreadable");
    reader.readAsDataURL(piece);
  });
}
