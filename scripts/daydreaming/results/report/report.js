// Charts to point at, in the place of the drawings that the page holds; those are what print and a browser without
// scripts show. No expression of a chart is compiled (`ast`): the page's policy forbids to make code from texts.
const OPTIONS = { ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
const wide = matchMedia("(min-width: 46rem)");
const shown = new Map();

async function draw(figure) {
  const charts = JSON.parse(figure.querySelector("script").textContent);
  const place = figure.querySelector(".live");
  shown.get(figure)?.finalize();
  shown.set(figure, await vegaEmbed(place, wide.matches ? charts.wide : charts.narrow, OPTIONS));
  figure.classList.add("is-live");
}

// Each when it comes near: a report can have a hundred charts.
const approaching = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) {
      approaching.unobserve(target);
      draw(target);
    }
  }
}, { rootMargin: "600px" });

for (const figure of document.querySelectorAll("figure")) {
  approaching.observe(figure);
}
wide.addEventListener("change", () => {
  for (const figure of shown.keys()) {
    draw(figure);
  }
});
