/** Words of the ways in: sign-in, second factor, forgotten password, proving oneself once more. */
export const stepUpTitle = 'Is it you?'
