// Begins the event of the visitor in which the models of a run answer. The run's page says when.
let busy = "";
document.addEventListener("diffing-lend", ({ detail: id }) => {
  if (!element.isConnected || busy === id) return;
  busy = id;
  setTimeout(() => (busy = ""), 5000);  // the server takes the first who comes
  props.value = id;
  trigger("submit");
});
