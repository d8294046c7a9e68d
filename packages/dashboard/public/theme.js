/* Runs before the first paint, so that a chosen look never flashes the other one. */
;(() => {
  let look = null
  try {
    look = localStorage.getItem('kalnet.look')
  } catch {
    look = null /* storage may be switched off: then the system's look is right */
  }
  if (look === 'dark' || look === 'light') document.documentElement.dataset.look = look
})()
