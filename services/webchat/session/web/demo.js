// A page that changes its address without loading, as shops do.
const names = { orders: 'Orders', returns: 'Returns', cart: 'Cart' }
const show = () => {
  const name = names[new URLSearchParams(location.search).get('page')] || names.orders
  document.title = `${name} – Sample shop`
  document.getElementById('heading').textContent = name
  for (const a of document.querySelectorAll('nav a')) {
    if (a.textContent === name) a.setAttribute('aria-current', 'page')
    else a.removeAttribute('aria-current')
  }
}
document.querySelector('nav').addEventListener('click', e => {
  if (e.target.tagName !== 'A' || e.ctrlKey || e.metaKey || e.shiftKey) return
  e.preventDefault()
  history.pushState(null, '', e.target.href)
  show()
})
addEventListener('popstate', show)
document.getElementById('line').textContent = `<script async src="${new URL('widget.js', location.href)}"></` + 'script>'
document.getElementById('open').addEventListener('click', () => window.tributary?.open())
show()
