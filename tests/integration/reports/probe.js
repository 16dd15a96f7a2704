// Runs at the end of a report in a real browser: uses it as a reader does, and tells what it saw.
const settle = () => new Promise((done) => setTimeout(done, 60));
const legends = () => [...document.querySelectorAll(".u-legend")].map((one) => one.textContent.replace(/\s+/g, " "));
const disabled = () => [...document.querySelectorAll("[data-act]")].filter((one) => one.disabled).map((one) => one.dataset.act);

function drawn() {
  return [...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Map();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 255) {
        const key = data[i] + "," + data[i + 1] + "," + data[i + 2];
        seen.set(key, (seen.get(key) || 0) + 1);
      }
    }
    return Object.fromEntries([...seen].filter(([, count]) => count > 20));
  });
}

const press = (target, key) => target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

(async () => {
  await settle();
  const told = {
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    background: getComputedStyle(document.body).backgroundColor,
    titles: [...document.querySelectorAll(".chart h3")].map((one) => one.textContent),
    disabled: disabled(),
    legends: legends(),
    drawn: drawn(),
  };
  const figure = document.querySelector("figure.chart");
  figure.focus();
  document.querySelector("[data-act=nearer]").click();
  press(figure, "+");
  press(figure, "ArrowLeft");
  await settle();
  told.nearer = { disabled: disabled(), legends: legends(), drawn: drawn() };
  press(figure, "0");
  await settle();
  told.back = { disabled: disabled(), legends: legends(), focused: document.activeElement === figure };
  const toggle = document.querySelector(".u-toggle");
  // A page with a line to each chart has no switch.
  if (toggle) {
    told.pressed = [toggle.getAttribute("aria-pressed")];
    press(toggle, "Enter");
    await settle();
    told.pressed.push(toggle.getAttribute("aria-pressed"));
    told.toggled = drawn();
  }
  dispatchEvent(new Event("beforeprint"));
  await settle();
  told.printed = { background: getComputedStyle(document.body).backgroundColor, drawn: drawn() };
  dispatchEvent(new Event("afterprint"));
  await settle();
  told.problems = problems;
  parent.postMessage(JSON.stringify(told), "*");
})();
