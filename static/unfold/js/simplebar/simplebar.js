// Stands in for SimpleBar, which lays every page out three times more to draw scroll bars of
// its own. The browser's scroll by themselves; the theme only asks for what to scroll.
window.SimpleBar = {
  instances: { get: (element) => ({ getScrollElement: () => element }) },
};
