/** The code of a failure that a way back from a provider left in the address; taken out at once, so that a reload does not say it again. */
export function takeProblem(): string | null {
  const query = new URLSearchParams(location.search)
  const code = query.get('problem')
  if (code === null) return null
  query.delete('problem')
  const rest = query.size > 0 ? `?${query}` : ''
  history.replaceState(null, '', location.pathname + rest + location.hash)
  return code
}
