// Stands in for Chart.js, which every page of the theme loads and none of ours draws with.
