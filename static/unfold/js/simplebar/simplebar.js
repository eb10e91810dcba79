// Stands in for SimpleBar, which has every page laid out anew, again and again while it loads,
// to draw scroll bars of its own. The browser has some; the theme only asks what to scroll.
window.SimpleBar = {
  instances: { get: (element) => ({ getScrollElement: () => element }) },
};
