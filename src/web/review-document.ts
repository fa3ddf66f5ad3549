/**
 * The page's document: what is there before anything is known of the task. Its script fills it with texts, and with
 * nothing but texts.
 */
export const reviewDocument = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<script type="module" src="/page/review.js"></script>
</head>
<body>
<header class="bar">
<div class="row">
<h1 class="task" id="task">Review</h1>
<p class="progress" id="progress"></p>
<button type="button" class="plain" id="who" hidden></button>
<button type="button" class="plain" id="help-button">Keys <kbd>?</kbd></button>
</div>
<div class="meter" id="meter" role="progressbar" aria-label="decided" aria-valuemin="0" aria-valuemax="100"><span></span></div>
<div class="notice" id="notice" role="alert" hidden></div>
</header>
<div class="columns">
<main class="item" id="item" tabindex="-1" aria-busy="true"></main>
<aside id="beside" aria-label="What helps to decide"></aside>
</div>
<footer class="actions"><div class="row" id="actions" role="toolbar" aria-label="Answers"></div></footer>
<dialog id="help" aria-labelledby="help-title"></dialog>
<dialog id="name" aria-labelledby="name-title"></dialog>
<noscript><p class="columns">This page needs JavaScript; a spreadsheet does not: tuneloop review export</p></noscript>
</body>
</html>
`
