// Starts the visitor's event in which the models of a run answer, when the run's page asks for it.
let busy = "";
document.addEventListener("diffing-lend", ({ detail: id }) => {
  if (!element.isConnected || busy === id) return;
  busy = id;
  setTimeout(() => (busy = ""), 5000);  // the server takes the first who comes
  props.value = id;
  trigger("submit");
});
