/* Country search: the best match comes first, since Enter chooses the first option. An option
   reads "Germany (DE, +49)". */
(function ($) {
  "use strict";

  const ACCENTS = /\p{Mark}/gu;
  let typed = "";

  const plain = (text) => text.normalize("NFD").replace(ACCENTS, "").toLowerCase().trim();

  function rank(option) {
    const text = plain(option.text);
    const words = text.split(/[\s(),]+/).filter(Boolean);
    const codeAndPrefix = words.slice(-2);
    if (codeAndPrefix.includes(typed) || codeAndPrefix.includes(`+${typed}`)) return 0;
    if (text.startsWith(typed)) return 1;
    return words.some((word) => word.startsWith(typed)) ? 2 : 3;
  }

  // The matches of select2 are right, but their order is not.
  const matches = $.fn.select2.defaults.defaults.matcher;

  $(() =>
    $("select.countries")
      .select2({
        matcher(search, option) {
          typed = plain(search.term || "");
          return matches(search, option);
        },
        sorter: (options) =>
          typed ? [...options].sort((one, other) => rank(one) - rank(other)) : options,
      })
      .each((_index, select) => {
        // The library draws a search field of its own, which no label names.
        const name = select.labels.length ? select.labels[0].textContent.trim() : "";
        $(select).next().find(".select2-search__field").attr("aria-label", name);
      }),
  );
})(django.jQuery);
