/** Words of the account page and of the rules for signing in. */
export const settingsRules = 'Sign-in rules'
