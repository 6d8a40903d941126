# Forms inside a co_await expression that g++ 12.2 destroys twice, leaks or refuses. lint.py runs this.
set bind-root false
set output diag
# A lambda, or an aggregate temporary, that has a destructor.
m coawaitExpr(forEachDescendant(cxxBindTemporaryExpr(has(expr(ignoringImplicit(anyOf(lambdaExpr(), initListExpr(), cxxFunctionalCastExpr(has(expr(ignoringImplicit(initListExpr()))))))))).bind("g12")))
# A class chosen by ?:, in the operand or around the await.
m coawaitExpr(forEachDescendant(conditionalOperator(hasDescendant(cxxBindTemporaryExpr())).bind("g12")))
m conditionalOperator(hasDescendant(coawaitExpr()), hasDescendant(cxxBindTemporaryExpr())).bind("g12")
# co_await inside braces or new.
m initListExpr(hasDescendant(coawaitExpr()), unless(hasAncestor(lambdaExpr()))).bind("g12")
m cxxNewExpr(hasDescendant(coawaitExpr())).bind("g12")
# Two awaits in one expression.
m binaryOperator(hasLHS(ignoringImplicit(anyOf(coawaitExpr(), expr(hasDescendant(coawaitExpr()))))), hasRHS(ignoringImplicit(anyOf(coawaitExpr(), expr(hasDescendant(coawaitExpr()))))), unless(hasAnyOperatorName("&&", "||", ","))).bind("g12")
