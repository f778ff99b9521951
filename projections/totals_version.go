package projections

// TotalsVersion is raised when the same entries give other tables: another fold,
// other cells, or another form of Table in JSON. Tables of different versions
// are kept side by side until the newer one has been compared.
const TotalsVersion = 1
