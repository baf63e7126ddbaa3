"""Rodas5P: an L-stable, stiffly accurate Rosenbrock method of order 5 with an embedded order 4.

Method of G. Steinebach, BIT Numerical Mathematics 63:27 (2023); the paper was not at hand, so
the coefficients are those that public implementations of it give. In the transformed form, with U_i the stage
increments, D = 1/(GAMMA h) and J the Jacobian at the start of the step,

    (D I - J) U_i = f(y + sum_j A[i][j] U_j) + sum_j (C[i][j] / h) U_j
    y_new = y + sum_j A[7][j] U_j + U_8,   error estimate = U_8

A[6] and A[7] repeat A[5] with a unit weight added for each earlier stage; only A[:6] is stored.
For autonomous systems. The order is measured by a convergence test.
"""

GAMMA = 0.21193756319429014
ORDER = 5
STAGES = 8

A = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
)

C = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)
