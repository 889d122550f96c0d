// The table of works sorts and filters; covers unfold, and so does what a footnote leads to. Without this script
// everything is shown.
(() => {
  'use strict';
  const first = (list, most) => list.forEach((item, i) => { item.hidden = i >= most; });

  const wall = document.querySelector('.wall');
  if (wall && wall.children.length > Number(wall.dataset.first)) {
    const most = Number(wall.dataset.first);
    const more = document.getElementById('wall-more');
    first([...wall.children], most);
    more.hidden = false;
    more.addEventListener('click', () => {
      first([...wall.children], Infinity);
      more.hidden = true;
      const next = wall.children[most].firstElementChild;
      next.tabIndex = next.href ? 0 : -1;
      next.focus({ preventScroll: true });
    });
  }

  // A footnote leads to a sentence that may be folded away; not every browser unfolds it.
  function reveal() {
    const at = document.getElementById(location.hash.slice(1));
    const fold = at?.closest('details');
    if (!fold || fold.open) return;
    fold.open = true;
    at.scrollIntoView();
  }
  addEventListener('hashchange', reveal);
  reveal();

  const table = document.getElementById('works-table');
  const body = table.tBodies[0];
  const filters = document.getElementById('filters');
  const output = filters.querySelector('output');
  const more = document.getElementById('works-more');
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const step = Number(table.dataset.first);
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  let most = step;

  function show() {
    const find = filters.elements.find.value.trim().toLowerCase();
    const is = (name, row) => !filters.elements[name]?.value || row.dataset[name] === filters.elements[name].value;
    const found = rows.filter((row) => is('bucket', row) && is('form', row) && row.dataset.find.includes(find));
    const kept = new Set(found.slice(0, most));
    for (const row of rows) row.hidden = !kept.has(row);
    output.textContent = found.length
      ? output.dataset.text.replace('{shown}', number.format(kept.size)).replace('{total}', number.format(rows.length))
      : output.dataset.none;
    more.hidden = kept.size === found.length;
    more.textContent = more.dataset.text.replace('{n}', number.format(found.length));
  }

  function sort(head) {
    const column = heads.indexOf(head);
    const text = head.classList.contains('text');
    // Numbers and dates begin with the greatest, words and ranks with the first; a second press turns the order round.
    const usual = text || head.classList.contains('rank') ? 'ascending' : 'descending';
    const turned = { ascending: 'descending', descending: 'ascending' };
    const order = head.ariaSort ? turned[head.ariaSort] : usual;
    const sign = order === 'ascending' ? 1 : -1;
    const dated = head.classList.contains('date');
    const key = (row) => {
      const cell = row.cells[column];
      if (text) return (cell.querySelector('.title') ?? cell).textContent.trim().replace(/^—$/, '');
      if (cell.dataset.v === '') return '';
      return dated ? Date.parse(cell.dataset.v) : Number(cell.dataset.v);
    };
    const keys = new Map(rows.map((row) => [row, key(row)]));
    rows.sort((a, b) => {
      const [left, right] = [keys.get(a), keys.get(b)];
      if (left === '' || right === '') return (left === '') - (right === ''); // the unknown stays at the end
      return sign * (text ? words.compare(left, right) : left - right);
    });
    for (const other of heads) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', order);
    body.append(...rows);
    show();
  }

  for (const head of heads) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    button.addEventListener('click', () => sort(head));
    head.replaceChildren(button);
  }
  filters.hidden = false;
  filters.addEventListener('submit', (event) => event.preventDefault());
  filters.addEventListener('input', () => { most = step; show(); });
  more.addEventListener('click', () => { most = Infinity; show(); output.scrollIntoView({ block: 'nearest' }); });
  show();
})();
