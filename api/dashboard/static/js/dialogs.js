// <button command="show-modal" commandfor="ID"> shows the dialog ID over the page, command="close" closes it: browsers do
// so by themselves, and before any script has come; this is for those that do not yet. A click beside a dialog closes it.

const byThemselves = "command" in HTMLButtonElement.prototype;

document.addEventListener("click", (event) => {
  const button = byThemselves ? null : event.target.closest("button[command]");
  const dialog = button && document.getElementById(button.getAttribute("commandfor"));
  if (dialog) button.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
  if (event.target instanceof HTMLDialogElement && beside(event)) event.target.close();
});

function beside({ target, clientX, clientY }) {
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
