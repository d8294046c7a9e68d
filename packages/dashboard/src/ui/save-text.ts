/** Hands the browser a text as a file to keep. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun by then; what it has not read yet it keeps.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
